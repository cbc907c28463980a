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

  # By metric: what its lines match, labels that are cut out of them, and what must hold of their fields beside.
  log_metrics = {
    circuits-opened   = { line = "^circuit \\S+ is open: ", labels = {} }
    decisions-waiting = { line = "^decision \\S+ still waits for an answer", labels = {} }
    attempts-lost     = { line = "^attempt \\S+ is lost$", labels = {} }
    messages-given-up = { line = "^\\S+ gave up on message ", labels = { function = "^(\\S+) gave up on message " } }
    runs-ended        = { line = "^run \\S+ (succeeded|failed|cancelled)$", labels = { stage = "^run \\S+ (succeeded|failed|cancelled)$" } }
    runs-stuck        = { line = "^run \\S+ is stuck: ", labels = {} }
    runs-touched      = { line = "^run \\S+ (succeeded|failed|cancelled)$", labels = {}, also = "jsonPayload.touches>0" }
  }

  # By metric: what its lines match, which field of them is the value, which are labels, and the end of the first bucket.
  run_line     = "^run \\S+ (succeeded|failed|cancelled)$"
  attempt_line = "^attempt \\S+ (succeeded|failed|cancelled|is lost)$"
  log_numbers = {
    attempt-cache-read-tokens  = { line = local.attempt_line, field = "cacheReadTokens", labels = ["model"], unit = "1", least = 100 }
    attempt-cache-write-tokens = { line = local.attempt_line, field = "cacheWriteTokens", labels = ["model"], unit = "1", least = 100 }
    attempt-input-tokens       = { line = local.attempt_line, field = "inputTokens", labels = ["model"], unit = "1", least = 100 }
    attempt-output-tokens      = { line = local.attempt_line, field = "outputTokens", labels = ["model"], unit = "1", least = 100 }
    attempt-seconds            = { line = local.attempt_line, field = "seconds", labels = ["agent"], unit = "s", least = 0.1 }
    attempt-usd                = { line = local.attempt_line, field = "spentUsd", labels = ["agent"], unit = "1", least = 0.001 }
    run-seconds                = { line = local.run_line, field = "seconds", labels = ["driver"], unit = "s", least = 1 }
    run-usd                    = { line = local.run_line, field = "spentUsd", labels = ["driver"], unit = "1", least = 0.001 }
  }
}

locals {
  of_functions = "resource.type=\"cloud_run_revision\""
  log_filters = {
    for name, one in local.log_metrics : name => join(" AND ", concat([local.of_functions, "jsonPayload.message=~${jsonencode(one.line)}"], try([one.also], [])))
  }
}

resource "google_logging_metric" "line" {
  for_each = local.log_metrics

  name   = "${var.prefix}/${each.key}"
  filter = local.log_filters[each.key]

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

resource "google_logging_metric" "number" {
  for_each = local.log_numbers

  name            = "${var.prefix}/${each.key}"
  filter          = "${local.of_functions} AND jsonPayload.message=~${jsonencode(each.value.line)}"
  value_extractor = "EXTRACT(jsonPayload.${each.value.field})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit
    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.value
        value_type = "STRING"
      }
    }
  }
  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }

  # Each ends twice as far as the one before: the last finite one at half a million times the first.
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 20
      growth_factor      = 2
      scale              = each.value.least
    }
  }

  depends_on = [google_project_service.service]
}

# S-20. Cloud Run writes a line for every request; its latency is "0.123s".
resource "google_logging_metric" "page_seconds" {
  name            = "${var.prefix}/page-seconds"
  filter          = "${local.of_requests} AND resource.labels.service_name=\"api\" AND httpRequest.requestMethod=\"GET\" AND httpRequest.requestUrl=~\"^https://[^/]+/(runs(/[^/?]+)?)?([?]|$)\""
  value_extractor = "REGEXP_EXTRACT(httpRequest.latency, \"([0-9.]+)s\")"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "s"
  }
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 20
      growth_factor      = 1.5
      scale              = 0.01
    }
  }

  depends_on = [google_project_service.service]
}
