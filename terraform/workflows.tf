locals {
  # A file's name is the workflow's, and what a run names as its driver.
  workflows = {
    for file in fileset("${path.module}/../workflows", "*.yaml") : trimsuffix(file, ".yaml") => "${path.module}/../workflows/${file}"
  }
  workflow_roles = {
    drives = google_project_iam_custom_role.drives_workflows.id
    wakes  = google_project_iam_custom_role.wakes_workflows.id
  }
}

# May call stages, and write what a workflow logs.
resource "google_service_account" "workflow" {
  account_id   = "${var.prefix}-workflow"
  display_name = "Penstock: workflows"
  depends_on   = [google_project_service.service]
}

resource "google_project_iam_member" "workflow_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.workflow.member
}

resource "google_workflows_workflow" "workflow" {
  for_each = local.workflows

  name                = each.key
  region              = var.region
  description         = "Penstock: drives runs"
  service_account     = google_service_account.workflow.id
  source_contents     = file(each.value)
  call_log_level      = "LOG_ERRORS_ONLY"
  crypto_key_name     = local.key
  deletion_protection = var.deletion_protection
  user_env_vars = {
    PENSTOCK_STAGES_URL = module.function["stages"].uri
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agent]
}

# Workflows has no grants on a single workflow; the project holds no others.
resource "google_project_iam_member" "workflows" {
  for_each = { for name, one in local.functions : name => one.workflows if one.workflows != null }

  project = var.project_id
  role    = local.workflow_roles[each.value]
  member  = module.function[each.key].member
}
