locals {
  firestore_location   = coalesce(var.firestore_location, var.region)
  firestore_key_wanted = try(var.cmek.firestore, false)
}

# The platform's records. The clients ask for the default database.
resource "google_firestore_database" "default" {
  name                              = "(default)"
  location_id                       = local.firestore_location
  type                              = "FIRESTORE_NATIVE"
  point_in_time_recovery_enablement = var.backups.point_in_time_recovery ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.deletion_protection ? "ABANDON" : "DELETE"

  dynamic "cmek_config" {
    for_each = local.firestore_key_wanted ? [local.key] : []
    content {
      kms_key_name = cmek_config.value
    }
  }

  lifecycle {
    precondition {
      condition     = terraform_data.database.output.cmek == local.firestore_key_wanted
      error_message = "cmek.firestore cannot change: Firestore takes its key when it is made and never again. Restore a backup into a new project instead."
    }
    precondition {
      condition     = terraform_data.database.output.location == local.firestore_location
      error_message = "firestore_location cannot change: Google never moves a database. Restore a backup into a new project instead."
    }
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agent]
}

resource "google_firestore_backup_schedule" "daily" {
  count = var.backups.retention_days == 0 ? 0 : 1

  database  = google_firestore_database.default.name
  retention = "${var.backups.retention_days * 86400}s"
  daily_recurrence {}
}

locals {
  # Collections whose documents expire, and the field that the Firestore adapter writes for it.
  expiring          = toset(["deliveries"])
  expire_at_field   = "_penstockExpireAt"
  unindexed_history = ["runs", "tasks"]

  # Large, and never asked for: an index on them would double what a write costs and limit how large they may be.
  unindexed = merge(
    { for group in local.unindexed_history : "${group}.history" => { group = group, field = "history" } },
    { for field in ["attempts", "dependantPools", "instructions", "result"] : "tasks.${field}" => { group = "tasks", field = field } },
  )
}

resource "google_firestore_field" "expiring" {
  for_each = local.expiring

  database   = google_firestore_database.default.name
  collection = each.value
  field      = local.expire_at_field

  ttl_config {}
  # Times in an index make one end of it hot.
  index_config {}
}

resource "google_firestore_field" "unindexed" {
  for_each = local.unindexed

  database   = google_firestore_database.default.name
  collection = each.value.group
  field      = each.value.field

  index_config {}
}
