variable "alerts" {
  description = "Whom alerts reach: e-mail addresses, and notification channels that exist already (projects/…/notificationChannels/…)."
  type        = object({ channels = optional(list(string), []), emails = optional(list(string), []) })
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for one in var.alerts.emails : can(regex("^[^@\\s,]+@[^@\\s,]+\\.[^@\\s,]+$", one))])
    error_message = "alerts.emails takes e-mail addresses."
  }
  validation {
    condition     = alltrue([for one in var.alerts.channels : can(regex("^projects/[^/]+/notificationChannels/[0-9]+$", one))])
    error_message = "alerts.channels takes names such as projects/PROJECT/notificationChannels/NUMBER."
  }
}
