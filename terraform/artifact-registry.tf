locals {
  repositories = {
    functions = "Images of the functions, as Cloud Build makes them from their archives."
    penstock  = "Image of the agent job."
  }
}

resource "google_artifact_registry_repository" "images" {
  for_each = local.repositories

  repository_id = each.key
  location      = var.region
  format        = "DOCKER"
  description   = each.value
  kms_key_name  = local.key

  cleanup_policies {
    id     = "keep-the-last-ten"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }
  cleanup_policies {
    id     = "delete-older-ones"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agent]
}

# Whom Cloud Build works as while it makes the functions' images. It can change nothing that runs.
resource "google_service_account" "build" {
  account_id   = "${var.prefix}-build"
  display_name = "Penstock: builds images of functions"
  depends_on   = [google_project_service.service]
}

resource "google_artifact_registry_repository_iam_member" "build" {
  repository = google_artifact_registry_repository.images["functions"].name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

resource "google_project_iam_member" "build_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

# Cloud Functions copies an archive into a bucket of its own before it builds.
resource "google_project_iam_member" "build_sources" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title      = "sources-of-functions"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-\")"
  }
}
