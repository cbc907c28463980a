# What Google would answer, where something is made of it.
mock_data "google_project" {
  defaults = { number = "123456789012" }
}

mock_data "google_storage_project_service_account" {
  defaults = { member = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com" }
}

mock_resource "google_service_account" {
  defaults = {
    email  = "someone@acme-penstock.iam.gserviceaccount.com"
    id     = "projects/acme-penstock/serviceAccounts/someone@acme-penstock.iam.gserviceaccount.com"
    member = "serviceAccount:someone@acme-penstock.iam.gserviceaccount.com"
    name   = "projects/acme-penstock/serviceAccounts/someone@acme-penstock.iam.gserviceaccount.com"
  }
}
