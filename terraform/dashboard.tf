locals {
  # Title, query in PromQL, unit.
  tiles = [
    ["Runs that ended", "sum by (stage) (increase(${local.metric}runs_ended{${local.run}}[1h]))"],
    ["Response times: p95 by function, ms", "histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:request_latencies_bucket{${local.run},service_name=~\"${local.service_names}\"}[5m])))"],
    ["Error rate by function", "sum by (service_name) (rate(run_googleapis_com:request_count{${local.run},service_name=~\"${local.service_names}\",response_code_class=\"5xx\"}[5m]))"],
    ["Requests by function", "sum by (service_name) (rate(run_googleapis_com:request_count{${local.run},service_name=~\"${local.service_names}\"}[5m]))"],
    ["Backlog: messages waiting", "sum by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\"})"],
    ["Backlog: age of the oldest, s", "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\"})"],
    ["Messages given up", "sum by (function) (increase(${local.metric}messages_given_up{${local.run}}[1h]))"],
    ["Attempts lost", "sum(increase(${local.metric}attempts_lost{${local.run}}[1h]))"],
    ["Agent jobs running", "sum by (job_name) (run_googleapis_com:job_running_executions{monitored_resource=\"cloud_run_job\"})"],
    ["Memory of functions: p95 of what they have", "histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:container_memory_utilizations_bucket{${local.run},service_name=~\"${local.service_names}\"}[5m])))"],
    ["CPU of functions: p95 of what they have", "histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:container_cpu_utilizations_bucket{${local.run},service_name=~\"${local.service_names}\"}[5m])))"],
    ["Bytes sent", "sum by (service_name) (rate(run_googleapis_com:container_network_sent_bytes_count{${local.run},service_name=~\"${local.service_names}\"}[5m]))"],
  ]
  tile_width = 16
}

resource "google_monitoring_dashboard" "penstock" {
  dashboard_json = jsonencode({
    displayName = "Penstock"
    mosaicLayout = {
      columns = 48
      tiles = [
        for index, tile in local.tiles : {
          xPos   = (index % 3) * local.tile_width
          yPos   = floor(index / 3) * local.tile_width
          width  = local.tile_width
          height = local.tile_width
          widget = {
            title = tile[0]
            xyChart = {
              dataSets = [{ plotType = "LINE", timeSeriesQuery = { prometheusQuery = tile[1] } }]
            }
          }
        }
      ]
    }
  })
  depends_on = [google_project_service.service]
}
