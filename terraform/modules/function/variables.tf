variable "account_id" {
  description = "Name of its service account."
  type        = string
}

variable "archive" {
  description = "Path of its zip."
  type        = string
}

variable "bucket" {
  description = "Holds blobs; null where it has none."
  type        = string
}

variable "build" {
  description = "Whom Cloud Build works as, and where it puts the image."
  type        = object({ account = string, repository = string })
}

variable "callers" {
  description = "Members that may call it, by a name that is known before they are."
  type        = map(string)
}

variable "environment" {
  description = "Its environment variables."
  type        = map(string)
}

variable "ingress" {
  description = "From where it can be reached."
  type        = string
}

variable "key" {
  description = "Customer-managed key; null for Google's own."
  type        = string
}

variable "min_instances" {
  description = "Instances that stand ready."
  type        = number
}

variable "name" {
  description = "Its own name, its entry point's and its subscription's."
  type        = string
}

variable "project_id" {
  description = "The project."
  type        = string
}

variable "region" {
  description = "The region."
  type        = string
}

variable "secrets" {
  description = "Secrets by the environment variable that they are."
  type        = map(object({ id = string, version = string }))
}

variable "settings" {
  description = "Its row of local.functions, as far as it is known before anything exists."
  type = object({
    bucket          = bool
    concurrency     = number
    door            = string
    max_instances   = number
    memory          = string
    signs           = bool
    timeout_seconds = number
  })
}

variable "sources" {
  description = "Bucket of the archives."
  type        = string
}

variable "subscription" {
  description = "What it is fed by; null for a function that answers HTTP."
  type = object({
    account               = string
    ack_seconds           = number
    dead_letter_topic     = string
    forwarder             = string
    max_delivery_attempts = optional(number)
    maximum               = string
    minimum               = string
    topic                 = string
  })
}

variable "topics" {
  description = "Topics that it publishes to."
  type        = map(string)
}
