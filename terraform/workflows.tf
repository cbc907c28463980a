locals {
  # A file's name is the workflow's, and what a run names as its driver.
  workflows = {
    for file in fileset("${path.module}/../workflows", "*.yaml") : trimsuffix(file, ".yaml") => "${path.module}/../workflows/${file}"
  }
  # Started for something else than a run; shared/runtime/config.ts has the same.
  no_drivers = ["agent-job", "decision"]
  workflow_roles = {
    drives = google_project_iam_custom_role.drives_workflows.id
    wakes  = google_project_iam_custom_role.wakes_workflows.id
  }
}

# May call stages, write what a workflow logs, and with agent_job.by_workflow start agent jobs.
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

  name            = each.key
  region          = var.region
  description     = contains(local.no_drivers, each.key) ? "Penstock: started by the platform" : "Penstock: drives runs"
  service_account = google_service_account.workflow.id
  source_contents = file(each.value)
  # Never all calls: agent-job is given tickets, and a log of its calls would hold them.
  call_log_level      = "LOG_ERRORS_ONLY"
  crypto_key_name     = local.key
  deletion_protection = var.deletion_protection
  user_env_vars = {
    PENSTOCK_JOB        = local.tiers.standard.name
    PENSTOCK_JOB_HIGH   = local.tiers.high.name
    PENSTOCK_STAGES_URL = module.function["stages"].uri
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agent]
}

# What agent-job does: starts the job of an attempt, and follows it to its end.
resource "google_cloud_run_v2_job_iam_member" "workflow" {
  for_each = var.agent_job.by_workflow ? local.tiers : {}

  name     = google_cloud_run_v2_job.agent[each.key].name
  location = var.region
  role     = google_project_iam_custom_role.starts_jobs.id
  member   = google_service_account.workflow.member
}

# Workflows has no grants on a single workflow; the project holds no others.
resource "google_project_iam_member" "workflows" {
  for_each = merge(
    { for name, one in local.functions : name => one.workflows if one.workflows != null },
    var.agent_job.by_workflow ? { for name, one in local.functions : name => "drives" if one.jobs == "start" } : {},
  )

  project = var.project_id
  role    = local.workflow_roles[each.value]
  member  = module.function[each.key].member
}
