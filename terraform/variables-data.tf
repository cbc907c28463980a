variable "audit_logs" {
  description = "Keep who read and wrote data in Firestore, Cloud Storage and Secret Manager (billed as log volume)."
  type        = bool
  default     = false
  nullable    = false
}

variable "backups" {
  description = "Days that a daily backup of Firestore is kept (0: none), and whether the last 7 days can be read at any minute."
  type = object({
    point_in_time_recovery = optional(bool, true)
    retention_days         = optional(number, 7)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.backups.retention_days >= 0 && var.backups.retention_days <= 98
    error_message = "backups.retention_days takes 0 (no backups) to 98: Firestore keeps a backup for 14 weeks at most."
  }
}

variable "deletion_protection" {
  description = "Refuse to destroy what holds data: the database, the bucket, the jobs, the workflows, the secrets. Set it to false and apply before a destroy."
  type        = bool
  default     = true
  nullable    = false
}

variable "firestore_location" {
  description = "Where Firestore keeps its data, such as eur3 or a region; cannot be changed later. The default is the region."
  type        = string
  default     = null

  validation {
    condition     = var.firestore_location == null || can(regex("^([a-z]+-[a-z]+[0-9]+|nam5|nam7|eur3)$", var.firestore_location))
    error_message = "firestore_location takes a region such as europe-west1, or nam5, nam7 or eur3."
  }
}
