locals {
  slos = {
    webhooks-answered = { service = "webhooks", goal = 0.995, says = "GitHub's deliveries are answered without a 5xx" }
    intake-answered   = { service = "intake", goal = 0.995, says = "submissions are answered without a 5xx" }
  }
  requests = "metric.type=\"run.googleapis.com/request_count\" resource.type=\"cloud_run_revision\""
}

resource "google_monitoring_custom_service" "penstock" {
  service_id   = var.prefix
  display_name = "Penstock"
  depends_on   = [google_project_service.service]
}

resource "google_monitoring_slo" "answered" {
  for_each = local.slos

  service             = google_monitoring_custom_service.penstock.service_id
  slo_id              = each.key
  display_name        = each.value.says
  goal                = each.value.goal
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      total_service_filter = "${local.requests} resource.label.service_name=\"${each.value.service}\""
      bad_service_filter   = "${local.requests} resource.label.service_name=\"${each.value.service}\" metric.label.response_code_class=\"5xx\""
    }
  }
}

# S-19.
resource "google_monitoring_slo" "intake_fast" {
  service             = google_monitoring_custom_service.penstock.service_id
  slo_id              = "intake-fast"
  display_name        = "95 % of submissions take less than 200 ms"
  goal                = 0.95
  rolling_period_days = 28

  request_based_sli {
    distribution_cut {
      distribution_filter = "metric.type=\"run.googleapis.com/request_latencies\" resource.type=\"cloud_run_revision\" resource.label.service_name=\"intake\""
      range {
        max = 200
      }
    }
  }
}

# S-01. Monitoring refuses what is made of a metric that it does not know yet, so this waits until somebody asks for it.
resource "google_monitoring_slo" "autonomy" {
  count = var.alerts.autonomy_slo ? 1 : 0

  service             = google_monitoring_custom_service.penstock.service_id
  slo_id              = "autonomy"
  display_name        = "95 % of the runs that end needed no person"
  goal                = 0.95
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      total_service_filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.line["runs-ended"].name}\" resource.type=\"cloud_run_revision\""
      bad_service_filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.line["runs-touched"].name}\" resource.type=\"cloud_run_revision\""
    }
  }
}

# The one door that can be asked without an identity. It has no page, and says so: that is the whole function at work.
resource "google_monitoring_uptime_check_config" "webhooks" {
  display_name = "Penstock: webhooks"
  timeout      = "10s"
  period       = "900s"

  http_check {
    path         = "/webhooks/github"
    port         = 443
    use_ssl      = true
    validate_ssl = true
    accepted_response_status_codes {
      status_value = 404
    }
  }
  content_matchers {
    content = "there is no GET /webhooks/github"
    matcher = "CONTAINS_STRING"
  }
  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project_id
      host       = trimprefix(var.load_balancer == null ? module.function["webhooks"].uri : local.domain_url, "https://")
    }
  }
}
