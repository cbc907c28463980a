provider "google" {
  project = var.project_id
  region  = var.region
  # Budgets and some other calls are counted against this project instead of the one that gcloud belongs to.
  billing_project       = var.project_id
  user_project_override = true
  default_labels        = local.labels
}

data "google_project" "this" {
  project_id = var.project_id
}
