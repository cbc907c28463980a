variable "secret_versions" {
  description = <<-E
    Which secrets exist: a number for each, from 1. A secret without a number is not created and not given to any function. A larger number
    stores the text that the variable of the same name has in that run.
  E
  type = object({
    anthropic_api_key              = optional(number)
    github_private_key             = optional(number)
    github_webhook_secret          = optional(number)
    github_webhook_secret_previous = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for number in values(var.secret_versions) : number == null ? true : number >= 1 && floor(number) == number])
    error_message = "secret_versions takes whole numbers from 1."
  }
}

# Ephemeral: in no plan and in no state. Give them as TF_VAR_… of one command; a run that raises no number needs none of them.

variable "anthropic_api_key" {
  description = "Key of the Anthropic API."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.anthropic_api_key == null ? true : can(regex("^\\S{8,}$", var.anthropic_api_key))
    error_message = "anthropic_api_key takes the key alone, without spaces or line ends."
  }
}

variable "github_private_key" {
  description = "Private key of the GitHub App, the whole PEM file."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.github_private_key == null ? true : can(regex("^-----BEGIN [A-Z ]*PRIVATE KEY-----", var.github_private_key))
    error_message = "github_private_key takes the text of the .pem file that GitHub gave you, from -----BEGIN on."
  }
}

variable "github_webhook_secret" {
  description = "Secret that the GitHub App signs its webhooks with."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.github_webhook_secret == null ? true : length(var.github_webhook_secret) >= 16
    error_message = "github_webhook_secret takes at least 16 characters; whoever guesses it can start runs."
  }
}

variable "github_webhook_secret_previous" {
  description = "The secret before, during a rotation."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.github_webhook_secret_previous == null ? true : length(var.github_webhook_secret_previous) >= 16
    error_message = "github_webhook_secret_previous takes at least 16 characters."
  }
}
