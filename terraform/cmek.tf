locals {
  key = var.cmek == null ? null : google_kms_crypto_key.key[0].id

  # Who encrypts and decrypts for us.
  key_agents = var.cmek == null ? {} : merge(local.agents, {
    storage = data.google_storage_project_service_account.agent[0].member
  })
}

data "google_storage_project_service_account" "agent" {
  count = var.cmek == null ? 0 : 1
}

# Google keeps key rings for ever, also after a destroy; a second apply has to import this one.
resource "google_kms_key_ring" "ring" {
  count = var.cmek == null ? 0 : 1

  name       = var.prefix
  location   = var.region
  depends_on = [google_project_service.service]
}

resource "google_kms_crypto_key" "key" {
  count = var.cmek == null ? 0 : 1

  name            = "data"
  key_ring        = google_kms_key_ring.ring[0].id
  rotation_period = "${var.cmek.rotation_days * 86400}s"

  # With the key goes everything that it encrypts.
  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "agent" {
  for_each = local.key_agents

  crypto_key_id = google_kms_crypto_key.key[0].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value
}
