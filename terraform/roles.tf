# Where a predefined role is too wide. roles/run.developer may also change the job, its image and its service account.
locals {
  role_prefix = replace(var.prefix, "-", "_")
}

resource "google_project_iam_custom_role" "cancels_jobs" {
  role_id     = "${local.role_prefix}_cancels_jobs"
  title       = "Penstock: cancels agent jobs"
  permissions = ["run.executions.cancel", "run.executions.get", "run.executions.list"]
  depends_on  = [google_project_service.service]
}

resource "google_project_iam_custom_role" "starts_jobs" {
  role_id = "${local.role_prefix}_starts_jobs"
  title   = "Penstock: starts agent jobs"
  permissions = [
    "run.executions.cancel",
    "run.executions.get",
    "run.executions.list",
    "run.jobs.run",
    # The ticket of an attempt is an environment variable of its execution.
    "run.jobs.runWithOverrides",
  ]
  depends_on = [google_project_service.service]
}

resource "google_project_iam_custom_role" "wakes_workflows" {
  role_id     = "${local.role_prefix}_wakes_workflows"
  title       = "Penstock: wakes workflows"
  permissions = ["workflows.callbacks.send"]
  depends_on  = [google_project_service.service]
}

resource "google_project_iam_custom_role" "drives_workflows" {
  role_id = "${local.role_prefix}_drives_workflows"
  title   = "Penstock: starts, follows, wakes and cancels workflows"
  permissions = [
    "workflows.callbacks.send",
    "workflows.executions.cancel",
    "workflows.executions.create",
    "workflows.executions.get",
    "workflows.executions.list",
  ]
  depends_on = [google_project_service.service]
}
