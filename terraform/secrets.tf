locals {
  # By the environment variable that a function reads.
  secret_names = {
    ANTHROPIC_API_KEY              = "anthropic_api_key"
    GITHUB_PRIVATE_KEY             = "github_private_key"
    GITHUB_WEBHOOK_SECRET          = "github_webhook_secret"
    GITHUB_WEBHOOK_SECRET_PREVIOUS = "github_webhook_secret_previous"
  }
  secrets = { for variable, name in local.secret_names : variable => name if var.secret_versions[name] != null }

  secret_texts = {
    ANTHROPIC_API_KEY              = var.anthropic_api_key
    GITHUB_PRIVATE_KEY             = var.github_private_key
    GITHUB_WEBHOOK_SECRET          = var.github_webhook_secret
    GITHUB_WEBHOOK_SECRET_PREVIOUS = var.github_webhook_secret_previous
  }
}

resource "google_secret_manager_secret" "secret" {
  for_each = local.secrets

  secret_id           = "${var.prefix}-${replace(each.value, "_", "-")}"
  deletion_protection = var.deletion_protection

  replication {
    user_managed {
      replicas {
        location = var.region
        dynamic "customer_managed_encryption" {
          for_each = var.cmek == null ? [] : [local.key]
          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agent]
}

resource "google_secret_manager_secret_version" "version" {
  for_each = local.secrets

  secret                 = google_secret_manager_secret.secret[each.key].id
  secret_data_wo_version = var.secret_versions[each.value]
  # Sent only with a new number. Without a text Secret Manager refuses it, so that nothing wrong is ever stored.
  secret_data_wo = local.secret_texts[each.key] == null ? "" : local.secret_texts[each.key]

  # Functions hold the one before until they are deployed with the new one.
  lifecycle {
    create_before_destroy = true
  }
}
