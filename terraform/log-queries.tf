# By alert: the lines that tell why. Its mail, and the output log_queries, have them as links to Logs Explorer; Terraform knows saved
# queries only from provider 7 on.
locals {
  of_requests = "log_id(\"run.googleapis.com/requests\") AND ${local.of_functions}"
  log_queries = {
    attempts-lost     = local.log_filters.attempts-lost
    autonomy-low      = local.log_filters.runs-touched
    circuit-open      = local.log_filters.circuits-opened
    dead-letters      = local.log_filters.messages-given-up
    decisions-waiting = local.log_filters.decisions-waiting
    errors            = "${local.of_functions} AND severity>=ERROR"
    intake-slow       = "${local.of_requests} AND resource.labels.service_name=\"intake\" AND httpRequest.latency>\"0.2s\""
    messages-old      = "${local.of_requests} AND resource.labels.service_name=~\"^(${join("|", keys(local.subscriptions))})$\" AND httpRequest.status>=400"
    runs-failing      = "${local.log_filters.runs-ended} AND jsonPayload.message=~\" failed$\""
    runs-stuck        = local.log_filters.runs-stuck
    spend             = "${local.log_filters.runs-ended} AND jsonPayload.spentUsd>0"
    sweep-absent      = "(${local.of_functions} AND resource.labels.service_name=\"sweep\") OR resource.type=\"cloud_scheduler_job\""
  }
  log_links = {
    for name, query in local.log_queries :
    name => "https://console.cloud.google.com/logs/query;query=${replace(urlencode(query), "+", "%20")};duration=P1D?project=${var.project_id}"
  }
}
