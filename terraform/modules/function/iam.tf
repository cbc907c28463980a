# What the function may do.

resource "google_project_iam_member" "records" {
  project = var.project_id
  role    = "roles/datastore.user"
  member  = google_service_account.function.member
}

resource "google_pubsub_topic_iam_member" "function" {
  for_each = var.topics

  topic  = each.value
  role   = "roles/pubsub.publisher"
  member = google_service_account.function.member
}

resource "google_storage_bucket_iam_member" "function" {
  count = var.settings.bucket ? 1 : 0

  bucket = var.bucket
  role   = "roles/storage.objectUser"
  member = google_service_account.function.member
}

# Signs URLs as itself: it has no key.
resource "google_service_account_iam_member" "signs" {
  count = var.settings.signs ? 1 : 0

  service_account_id = google_service_account.function.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = google_service_account.function.member
}

resource "google_secret_manager_secret_iam_member" "function" {
  for_each = var.secrets

  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function.member
}

# Who may call it: a Cloud Run service stands under every function, and has its name.

resource "google_cloud_run_v2_service_iam_member" "caller" {
  for_each = var.callers

  name     = google_cloudfunctions2_function.function.name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.value
}

resource "google_cloud_run_v2_service_iam_member" "anybody" {
  count = var.settings.door == "public" ? 1 : 0

  name     = google_cloudfunctions2_function.function.name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}
