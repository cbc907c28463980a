# Every choice of a production system, planned at once: one plan of it all is dear.
mock_provider "google" {
  source = "./tests/mocks"
}

run "every_choice_of_production_can_be_made_at_once" {
  command = plan

  variables {
    environment     = "prod"
    admins          = ["admin@example.com"]
    agent_job       = { by_workflow = true, gpu = true, timeout_hours = 1 }
    alerts          = { autonomy_slo = true, channels = ["projects/acme-penstock/notificationChannels/42"], usd_per_day = 25 }
    audit_logs      = true
    budget          = { billing_account = "012345-6789AB-CDEF01", usd = 200 }
    build           = { owner = "acme", repository = "penstock" }
    cmek            = {}
    github_accounts = ["acme", "dana"]
    github_app_id   = "12345"
    identity = {
      mode          = "iap"
      iap_audiences = { api = "/projects/1/global/backendServices/1", intake = "/projects/1/global/backendServices/2" }
    }
    load_balancer   = { domain = "penstock.example.com", iap_members = ["group:developers@example.com"] }
    network         = { allowed_names = ["github.com", "pypi.org"] }
    secret_versions = { github_private_key = 1, github_webhook_secret = 1 }
    warm_instances  = { intake = 1, webhooks = 1 }
  }
  # A network lets jobs reach what it names and denies the rest.
  assert {
    condition     = [for rule in google_compute_network_firewall_policy_rule.egress : rule.action] == ["allow", "allow", "deny"]
    error_message = "the last word of the firewall is not no"
  }
  assert {
    condition     = alltrue([for job in google_cloud_run_v2_job.agent : job.template[0].template[0].vpc_access[0].egress == "ALL_TRAFFIC"])
    error_message = "a job goes around its network"
  }
  # A key of ones own encrypts all but the database.
  assert {
    condition     = length(google_firestore_database.default.cmek_config) == 0 && length(google_storage_bucket.data.encryption) == 1
    error_message = "the database has a key that it can never change, or the bucket has none"
  }
  # A load balancer stands before the doors and nothing else.
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
  # The proxy is believed where it stands, and nowhere else.
  assert {
    condition     = { for name, one in module.function : name => one.environment.PENSTOCK_IDENTITY if one.environment.PENSTOCK_IDENTITY != "iam" } == { api = "iap", intake = "iap", webhooks = "oidc" }
    error_message = "a function believes the proxy that does not stand behind it, or another does not"
  }
  # A GPU comes with the memory that it wants.
  assert {
    condition     = google_cloud_run_v2_job.agent["high"].template[0].template[0].containers[0].resources[0].limits == tomap({ cpu = "4", memory = "16Gi", "nvidia.com/gpu" = "1" })
    error_message = "an L4 wants 16 GiB beside it"
  }
  assert {
    condition     = length(google_cloud_run_v2_job.agent["standard"].template[0].template[0].node_selector) == 0
    error_message = "the standard tier pays for a GPU"
  }
  # A budget tells the channels.
  assert {
    condition     = google_billing_budget.project[0].all_updates_rule[0].monitoring_notification_channels == tolist(["projects/acme-penstock/notificationChannels/42"])
    error_message = "nobody hears of it"
  }
  # Every alert names its line of the runbook, links to its lines of the log, and reaches the channels.
  assert {
    condition = alltrue([
      for name, one in google_monitoring_alert_policy.alert :
      strcontains(one.documentation[0].content, "`${name}`") && strcontains(one.documentation[0].content, output.log_queries[name]) && length(one.notification_channels) == 1
    ])
    error_message = "an alert wakes somebody without saying what to do or where to look, or nobody"
  }
  assert {
    condition     = endswith(google_monitoring_alert_policy.alert["spend"].conditions[0].condition_prometheus_query_language[0].query, "[24h])) > 25")
    error_message = "the alert of spend comes at another sum"
  }
  assert {
    condition     = length(google_monitoring_slo.autonomy) == 1
    error_message = "autonomy has no objective, although somebody asked for it"
  }
  # A secret with a number is given to those that need it.
  assert {
    condition     = [for name, one in module.function : name if contains(one.roles, "roles/secretmanager.secretAccessor")] == ["agent-execution", "attempts", "decomposition", "integration", "notification", "webhooks"]
    error_message = "a function may read a secret that is not its own, or may not read its own"
  }
  assert {
    condition     = alltrue([for one in google_secret_manager_secret_version.version : one.secret_data == null])
    error_message = "the text of a secret stands in the state"
  }
  # Only installations of these accounts are taken.
  assert {
    condition     = local.environments["webhooks"].PENSTOCK_GITHUB_ACCOUNTS == "acme,dana"
    error_message = "a stranger who installs the App has runs at our expense"
  }
  # A workflow that starts jobs may start them, and is named to who asks for jobs.
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
  # Production keeps what it has.
  assert {
    condition     = google_firestore_database.default.delete_protection_state == "DELETE_PROTECTION_ENABLED" && !google_storage_bucket.data.force_destroy && length(google_firestore_backup_schedule.daily) == 1
    error_message = "a destroy would take the data with it"
  }
}
