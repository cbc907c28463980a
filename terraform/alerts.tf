# Each has a line in the runbook of README.md, under its key.
locals {
  run           = "monitored_resource=\"cloud_run_revision\""
  service_names = join("|", keys(local.functions))
  metric        = "logging_googleapis_com:user_${replace(var.prefix, "-", "_")}_"

  # Conditions in PromQL; names of Google's metrics are as https://cloud.google.com/monitoring/promql/promql-mapping writes them.
  alerts = {
    attempts-lost = {
      severity = "WARNING", says = "more than five attempts were lost in half an hour"
      query    = "sum(increase(${local.metric}attempts_lost{${local.run}}[30m])) > 5"
    }
    autonomy-low = {
      severity = "WARNING", says = "people had a hand in more than one of twenty runs that ended within a day (S-01)"
      # Of fewer than twenty runs, a single one would be too many.
      query = "(sum(increase(${local.metric}runs_touched{${local.run}}[24h])) / sum(increase(${local.metric}runs_ended{${local.run}}[24h])) > 0.05) and (sum(increase(${local.metric}runs_ended{${local.run}}[24h])) >= 20)"
    }
    circuit-open = {
      severity = "WARNING", says = "a model provider's circuit is open"
      query    = "sum(increase(${local.metric}circuits_opened{${local.run}}[10m])) > 0"
    }
    dead-letters = {
      severity = "ERROR", says = "a message could not be handled"
      query    = "(sum(increase(${local.metric}messages_given_up{${local.run}}[10m])) > 0) or (sum(increase(pubsub_googleapis_com:subscription_dead_letter_message_count[10m])) > 0)"
    }
    decisions-waiting = {
      severity = "WARNING", says = "a run has waited a day for somebody's answer"
      query    = "sum(increase(${local.metric}decisions_waiting{${local.run}}[1h])) > 0"
    }
    errors = {
      severity = "ERROR", says = "a function answers more than one request in twenty with a 5xx"
      query    = "sum by (service_name) (rate(run_googleapis_com:request_count{${local.run},service_name=~\"${local.service_names}\",response_code_class=\"5xx\"}[10m])) / sum by (service_name) (rate(run_googleapis_com:request_count{${local.run},service_name=~\"${local.service_names}\"}[10m])) > 0.05"
    }
    intake-slow = {
      severity = "WARNING", says = "95 % of at least 50 submissions in ten minutes took longer than 200 ms (S-19)"
      # request_latencies begins where an instance has the request: its start is not in it.
      query = "(histogram_quantile(0.95, sum by (le) (increase(run_googleapis_com:request_latencies_bucket{${local.run},service_name=\"intake\"}[10m]))) > 200) and (sum(increase(run_googleapis_com:request_count{${local.run},service_name=\"intake\"}[10m])) >= 50)"
    }
    messages-old = {
      severity = "ERROR", says = "a message has waited for ten minutes longer than any may take"
      query    = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\"}) > 1200"
    }
    runs-failing = {
      severity = "WARNING", says = "at least three runs, and more than half of all, failed in six hours"
      query    = "(sum(increase(${local.metric}runs_ended{${local.run},stage=\"failed\"}[6h])) >= 3) and (sum(increase(${local.metric}runs_ended{${local.run},stage=\"failed\"}[6h])) / sum(increase(${local.metric}runs_ended{${local.run}}[6h])) > 0.5)"
    }
    runs-stuck = {
      severity = "ERROR", says = "nothing has changed for an hour in a run that waits for nobody"
      query    = "sum(increase(${local.metric}runs_stuck{${local.run}}[15m])) > 0"
    }
    spend = {
      severity = "WARNING", says = "runs that ended within a day spent more than alerts.usd_per_day on models"
      query    = "sum(increase(${local.metric}run_usd_sum{${local.run}}[24h])) > ${var.alerts.usd_per_day}"
    }
    sweep-absent = {
      severity = "CRITICAL", says = "no sweep has succeeded for ten minutes, so nothing that is lost or due is asked for"
      query    = "absent(increase(run_googleapis_com:request_count{${local.run},service_name=\"sweep\",response_code_class=\"2xx\"}[10m]) > 0)"
    }
  }
}

resource "google_monitoring_alert_policy" "alert" {
  for_each = local.alerts

  display_name          = "Penstock: ${each.value.says}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  conditions {
    display_name = each.value.says
    condition_prometheus_query_language {
      query               = each.value.query
      duration            = "0s"
      evaluation_interval = "60s"
      # A metric of logs is unknown to Monitoring until its first line.
      disable_metric_validation = true
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.says}. What to do: terraform/README.md, \"Runbook\", `${each.key}`. [Its lines of the log](${local.log_links[each.key]})."
  }
  alert_strategy {
    auto_close = "86400s"
  }

  depends_on = [google_logging_metric.line, google_logging_metric.number]
}
