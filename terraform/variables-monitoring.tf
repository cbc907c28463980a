variable "alerts" {
  description = <<-E
    Whom alerts reach: e-mail addresses, and notification channels that exist already (projects/…/notificationChannels/…); from how many
    dollars a day on, spent on models, there is one; and whether autonomy has an objective (S-01): not before a first run has ended, as
    Monitoring knows nothing of its metrics until then.
  E
  type = object({
    autonomy_slo = optional(bool, false)
    channels     = optional(list(string), [])
    emails       = optional(list(string), [])
    usd_per_day  = optional(number, 100)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for one in var.alerts.emails : can(regex("^[^@\\s,]+@[^@\\s,]+\\.[^@\\s,]+$", one))])
    error_message = "alerts.emails takes e-mail addresses."
  }
  validation {
    condition     = alltrue([for one in var.alerts.channels : can(regex("^projects/[^/]+/notificationChannels/[0-9]+$", one))])
    error_message = "alerts.channels takes names such as projects/PROJECT/notificationChannels/NUMBER."
  }
  validation {
    condition     = var.alerts.usd_per_day > 0
    error_message = "alerts.usd_per_day takes a number of dollars over 0: with none, every run would be one too many."
  }
}
