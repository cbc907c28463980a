locals {
  bucket_names = {
    data    = "${var.project_id}-${var.prefix}-data"
    sources = "${var.project_id}-${var.prefix}-sources"
  }
}

# Transcripts, change sets, plans, artifacts, workspaces.
resource "google_storage_bucket" "data" {
  name                        = local.bucket_names.data
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  versioning {
    enabled = true
  }
  # What was overwritten or deleted can be brought back for a week. What a run stored is deleted with the run, by the platform.
  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 7
    }
    action {
      type = "Delete"
    }
  }
  lifecycle_rule {
    condition {
      age = 1
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }
  # Pages fetch signed URLs.
  cors {
    origin          = [local.public_url]
    method          = ["GET", "HEAD"]
    response_header = ["Content-Type", "Content-Length", "ETag"]
    max_age_seconds = 3600
  }
  dynamic "encryption" {
    for_each = var.cmek == null ? [] : [local.key]
    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agent]
}

# Archives of functions, named by what is in them.
resource "google_storage_bucket" "sources" {
  name                        = local.bucket_names.sources
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  # Everything in it can be built again.
  force_destroy = true

  dynamic "encryption" {
    for_each = var.cmek == null ? [] : [local.key]
    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agent]
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.sources.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}
