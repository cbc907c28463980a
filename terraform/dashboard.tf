locals {
  # All that a prompt has; each kind is logged for every attempt, so that none is missing in the sum.
  tokens_read = "sum by (model) (increase(${local.metric}attempt_input_tokens_sum{${local.run}}[1h])) + sum by (model) (increase(${local.metric}attempt_cache_read_tokens_sum{${local.run}}[1h])) + sum by (model) (increase(${local.metric}attempt_cache_write_tokens_sum{${local.run}}[1h]))"

  # Title, query in PromQL, unit.
  tiles = [
    # S-01, as /api/status has it: of the runs that ended, those that no person had a hand in.
    ["Autonomy rate of a week", "1 - (sum(increase(${local.metric}runs_touched{${local.run}}[7d])) or vector(0)) / sum(increase(${local.metric}runs_ended{${local.run}}[7d]))"],
    ["Runs that ended", "sum by (stage) (increase(${local.metric}runs_ended{${local.run}}[1h]))"],
    ["Time of workflows: p50 by driver, from acceptance to end, s", "histogram_quantile(0.5, sum by (le, driver) (increase(${local.metric}run_seconds_bucket{${local.run}}[1d])))"],
    ["Time of attempts: average by agent, s", "sum by (agent) (increase(${local.metric}attempt_seconds_sum{${local.run}}[1h])) / sum by (agent) (increase(${local.metric}attempt_seconds_count{${local.run}}[1h]))"],
    ["Spent on ended runs: $ a day by driver", "sum by (driver) (increase(${local.metric}run_usd_sum{${local.run}}[1d]))"],
    ["Spent on attempts: $ an hour by agent", "sum by (agent) (increase(${local.metric}attempt_usd_sum{${local.run}}[1h]))"],
    ["Tokens read: an hour by model, cached or not", local.tokens_read],
    ["Tokens written: an hour by model", "sum by (model) (increase(${local.metric}attempt_output_tokens_sum{${local.run}}[1h]))"],
    ["Cache hits: share of the tokens read, by model", "sum by (model) (increase(${local.metric}attempt_cache_read_tokens_sum{${local.run}}[1h])) / (${local.tokens_read})"],
    ["Response times: p95 by function, ms", "histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:request_latencies_bucket{${local.run},service_name=~\"${local.service_names}\"}[5m])))"],
    # S-20, as far as the platform has a part in it: until the page is sent, not until a browser shows it.
    ["Time of pages: p95, s", "histogram_quantile(0.95, sum by (le) (increase(${local.metric}page_seconds_bucket{${local.run}}[1h])))"],
    # Each open page of a live run holds one request; who reads is not logged.
    ["Concurrent users: requests open at the same time in an instance of api, p99", "histogram_quantile(0.99, sum by (le) (increase(run_googleapis_com:container_max_request_concurrencies_bucket{${local.run},service_name=\"api\"}[5m])))"],
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
