locals {
  # 002-50 and 002-49; Cloud Run knows limits only. An L4 wants at least 4 vCPU and 16 GiB beside it (003-103).
  tiers = {
    standard = { name = "agent-job", cpu = "2", memory = "4Gi", gpu = false }
    high     = { name = "agent-job-high", cpu = "4", memory = var.agent_job.gpu ? "16Gi" : "8Gi", gpu = var.agent_job.gpu }
  }
  job_environment = {
    GOOGLE_CLOUD_PROJECT       = var.project_id
    PENSTOCK_ATTEMPTS_AUDIENCE = module.function["attempts"].uri
    PENSTOCK_ATTEMPTS_URL      = module.function["attempts"].uri
    PENSTOCK_SANDBOX           = var.agent_job.sandbox
  }
}

# May call attempts, and nothing else: whatever an agent's programs do, this is all that Google lets them.
resource "google_service_account" "agent_job" {
  account_id   = "${var.prefix}-agent-job"
  display_name = "Penstock: agent job"
  depends_on   = [google_project_service.service]
}

resource "google_cloud_run_v2_job" "agent" {
  for_each = local.tiers

  name                = each.value.name
  location            = var.region
  deletion_protection = var.deletion_protection

  template {
    task_count  = 1
    parallelism = 1
    template {
      service_account               = google_service_account.agent_job.email
      execution_environment         = "EXECUTION_ENVIRONMENT_GEN2"
      encryption_key                = local.key
      gpu_zonal_redundancy_disabled = each.value.gpu ? true : null
      # The engine alone counts attempts.
      max_retries = 0
      timeout     = "${floor(var.agent_job.timeout_hours * 3600)}s"

      containers {
        image = var.agent_image
        resources {
          limits = merge({ cpu = each.value.cpu, memory = each.value.memory }, each.value.gpu ? { "nvidia.com/gpu" = "1" } : {})
        }
        dynamic "env" {
          for_each = merge(local.job_environment, var.trace_endpoint == null ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = var.trace_endpoint })
          content {
            name  = env.key
            value = env.value
          }
        }
      }
      dynamic "node_selector" {
        for_each = each.value.gpu ? ["nvidia-l4"] : []
        content {
          accelerator = node_selector.value
        }
      }
      dynamic "vpc_access" {
        for_each = google_compute_subnetwork.jobs
        content {
          egress = "ALL_TRAFFIC"
          network_interfaces {
            network    = google_compute_network.jobs[0].id
            subnetwork = vpc_access.value.id
          }
        }
      }
    }
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agent]
}

locals {
  job_roles = {
    cancel = google_project_iam_custom_role.cancels_jobs.id
    start  = google_project_iam_custom_role.starts_jobs.id
  }
  job_grants = merge([
    for name, one in local.functions : {
      for tier in keys(local.tiers) : "${name}/${tier}" => { function = name, tier = tier, role = one.jobs } if one.jobs != null
    }
  ]...)
}

resource "google_cloud_run_v2_job_iam_member" "function" {
  for_each = local.job_grants

  name     = google_cloud_run_v2_job.agent[each.value.tier].name
  location = var.region
  role     = local.job_roles[each.value.role]
  member   = module.function[each.value.function].member
}
