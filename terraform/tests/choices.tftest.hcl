# Each choice of a production system, planned.
mock_provider "google" {
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
}

variables {
  project_id  = "acme-penstock"
  region      = "europe-west1"
  environment = "dev"
  agent_image = "europe-west1-docker.pkg.dev/acme-penstock/penstock/agent-job@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
}

run "a_network_lets_jobs_reach_what_it_names_and_denies_the_rest" {
  command = plan

  variables {
    network = { allowed_names = ["github.com", "registry.npmjs.org"] }
  }
  assert {
    condition     = [for rule in google_compute_network_firewall_policy_rule.egress : rule.action] == ["allow", "allow", "deny"]
    error_message = "the last word of the firewall is not no"
  }
  assert {
    condition     = alltrue([for job in google_cloud_run_v2_job.agent : job.template[0].template[0].vpc_access[0].egress == "ALL_TRAFFIC"])
    error_message = "a job goes around its network"
  }
}

run "a_key_of_ones_own_encrypts_all_but_the_database" {
  command = plan

  variables {
    cmek = {}
  }
  assert {
    condition     = length(google_firestore_database.default.cmek_config) == 0 && length(google_storage_bucket.data.encryption) == 1
    error_message = "the database has a key that it can never change, or the bucket has none"
  }
}

run "a_load_balancer_stands_before_the_doors_and_nothing_else" {
  command = plan

  variables {
    load_balancer = { domain = "penstock.example.com", iap_members = ["group:developers@example.com"] }
  }
  assert {
    condition     = keys(google_compute_backend_service.front) == ["api", "intake", "webhooks"]
    error_message = "a function that only the platform calls stands behind the public address"
  }
  assert {
    condition     = alltrue([for name in ["api", "intake", "webhooks"] : module.function[name].ingress == "ALLOW_INTERNAL_AND_GCLB"])
    error_message = "a door can be reached around the load balancer"
  }
  assert {
    condition     = length(google_compute_backend_service.front["webhooks"].iap) == 0 && length(google_compute_backend_service.front["api"].iap) == 1
    error_message = "GitHub cannot show an identity, and people have to"
  }
  assert {
    condition     = output.public_url == "https://penstock.example.com"
    error_message = "links go elsewhere"
  }
}

run "a_gpu_comes_with_the_memory_that_it_wants" {
  command = plan

  variables {
    agent_job = { gpu = true, timeout_hours = 1 }
  }
  assert {
    condition     = google_cloud_run_v2_job.agent["high"].template[0].template[0].containers[0].resources[0].limits == tomap({ cpu = "4", memory = "16Gi", "nvidia.com/gpu" = "1" })
    error_message = "an L4 wants 16 GiB beside it"
  }
  assert {
    condition     = length(google_cloud_run_v2_job.agent["standard"].template[0].template[0].node_selector) == 0
    error_message = "the standard tier pays for a GPU"
  }
}

run "a_workflow_that_starts_jobs_may_start_them_and_is_named_to_who_asks_for_jobs" {
  command = plan

  variables {
    agent_job = { by_workflow = true }
  }
  assert {
    condition     = keys(google_cloud_run_v2_job_iam_member.workflow) == ["high", "standard"]
    error_message = "agent-job starts jobs that it may not start"
  }
  assert {
    condition     = alltrue([for name in ["agent-execution", "decomposition"] : local.environments[name].PENSTOCK_JOB_WORKFLOW == "agent-job" && contains(keys(google_project_iam_member.workflows), name)])
    error_message = "who starts jobs does not know the workflow, or may not start it"
  }
  assert {
    condition     = google_workflows_workflow.workflow["agent-job"].call_log_level == "LOG_ERRORS_ONLY" && google_workflows_workflow.workflow["agent-job"].user_env_vars.PENSTOCK_JOB_HIGH == "agent-job-high"
    error_message = "a log of its calls would hold tickets, or it knows no job"
  }
}

run "a_budget_tells_the_channels" {
  command = plan

  variables {
    budget = { billing_account = "012345-6789AB-CDEF01", usd = 200 }
    alerts = { channels = ["projects/acme-penstock/notificationChannels/42"] }
  }
  assert {
    condition     = google_billing_budget.project[0].all_updates_rule[0].monitoring_notification_channels == tolist(["projects/acme-penstock/notificationChannels/42"])
    error_message = "nobody hears of it"
  }
}

run "every_alert_names_its_line_of_the_runbook_and_reaches_the_channels" {
  command = plan

  variables {
    alerts = { channels = ["projects/acme-penstock/notificationChannels/42"], usd_per_day = 25 }
  }
  assert {
    condition     = alltrue([for name, one in google_monitoring_alert_policy.alert : strcontains(one.documentation[0].content, "`${name}`") && length(one.notification_channels) == 1])
    error_message = "an alert wakes somebody without saying what to do, or nobody"
  }
  assert {
    condition     = endswith(google_monitoring_alert_policy.alert["spend"].conditions[0].condition_prometheus_query_language[0].query, "[24h])) > 25")
    error_message = "the alert of spend comes at another sum"
  }
}

run "production_keeps_what_it_has" {
  command = plan

  variables {
    environment = "prod"
    identity    = { invokers = ["group:developers@example.com"] }
    alerts      = { emails = ["oncall@example.com"] }
  }
  assert {
    condition     = google_firestore_database.default.delete_protection_state == "DELETE_PROTECTION_ENABLED" && !google_storage_bucket.data.force_destroy && length(google_firestore_backup_schedule.daily) == 1
    error_message = "a destroy would take the data with it"
  }
}
