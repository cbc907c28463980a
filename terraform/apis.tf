locals {
  services = toset(concat(
    [
      "artifactregistry.googleapis.com",
      "cloudbuild.googleapis.com",
      "cloudfunctions.googleapis.com",
      "cloudscheduler.googleapis.com",
      "firestore.googleapis.com",
      "iam.googleapis.com",
      # Signs URLs for accounts that have no key.
      "iamcredentials.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "pubsub.googleapis.com",
      "run.googleapis.com",
      "secretmanager.googleapis.com",
      "storage.googleapis.com",
      "workflowexecutions.googleapis.com",
      "workflows.googleapis.com",
    ],
    var.cmek == null ? [] : ["cloudkms.googleapis.com"],
    var.load_balancer == null && var.network == null ? [] : ["compute.googleapis.com"],
    var.load_balancer == null ? [] : ["iap.googleapis.com"],
    var.network == null ? [] : ["dns.googleapis.com"],
    var.budget == null ? [] : ["billingbudgets.googleapis.com"],
  ))
}

resource "google_project_service" "service" {
  for_each = local.services

  service = each.value
  # Something else in the project may use it, and turning it off deletes what it holds.
  disable_on_destroy = false
}
