variable "environment" {
  description = "Which of your systems this is; one Google Cloud project holds one."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment takes dev, staging or prod."
  }
}

variable "labels" {
  description = "Labels of everything that can have some."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", name)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels takes names and values of small letters, digits, _ and -, at most 63 of them; a name begins with a letter."
  }
}

variable "prefix" {
  description = "Begins the names of service accounts, buckets, secrets and roles."
  type        = string
  default     = "penstock"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,12}[a-z0-9]$", var.prefix))
    error_message = "prefix takes 3 to 14 small letters, digits and hyphens; it begins with a letter and does not end with a hyphen (a service account's name has at most 30 characters)."
  }
}

variable "project_id" {
  description = "Id of the Google Cloud project, which holds nothing else."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id takes the id of a Google Cloud project (6 to 30 small letters, digits and hyphens), not its name or number."
  }
}

variable "region" {
  description = "Region of everything that has one, such as europe-west1."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(africa|asia|australia|europe|me|northamerica|southamerica|us)-(central|east|north|northeast|northwest|south|southeast|southwest|west)[0-9]{1,2}$", var.region))
    error_message = "region takes one of Google Cloud's regions, such as europe-west1; not a zone and not a multi-region."
  }
}
