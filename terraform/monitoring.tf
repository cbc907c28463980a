# Channels, and what is counted in the logs. Lines are those that the code writes; a drift test reads them there.
resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alerts.emails)

  display_name = each.value
  type         = "email"
  labels       = { email_address = each.value }
  depends_on   = [google_project_service.service]
}

locals {
  channels = concat(var.alerts.channels, [for one in google_monitoring_notification_channel.email : one.id])

  # By metric: what its lines match, and labels that are cut out of them.
  log_metrics = {
    circuits-opened   = { line = "^circuit \\S+ is open: ", labels = {} }
    decisions-waiting = { line = "^decision \\S+ still waits for an answer", labels = {} }
    attempts-lost     = { line = "^attempt \\S+ is lost$", labels = {} }
    messages-given-up = { line = "^\\S+ gave up on message ", labels = { function = "^(\\S+) gave up on message " } }
    runs-ended        = { line = "^run \\S+ (succeeded|failed|cancelled)$", labels = { stage = "^run \\S+ (succeeded|failed|cancelled)$" } }
  }
}

resource "google_logging_metric" "line" {
  for_each = local.log_metrics

  name   = "${var.prefix}/${each.key}"
  filter = "resource.type=\"cloud_run_revision\" AND jsonPayload.message=~${jsonencode(each.value.line)}"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }
  label_extractors = { for label, pattern in each.value.labels : label => "REGEXP_EXTRACT(jsonPayload.message, ${jsonencode(pattern)})" }

  depends_on = [google_project_service.service]
}
