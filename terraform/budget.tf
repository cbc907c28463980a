# Google's own bill, models excluded: those have their budgets in the platform.
resource "google_billing_budget" "project" {
  count = var.budget == null ? 0 : 1

  billing_account = var.budget.billing_account
  display_name    = "Penstock in ${var.project_id}"

  budget_filter {
    projects               = ["projects/${local.number}"]
    calendar_period        = "MONTH"
    credit_types_treatment = "EXCLUDE_ALL_CREDITS"
  }
  amount {
    specified_amount {
      currency_code = "USD"
      units         = tostring(var.budget.usd)
    }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  all_updates_rule {
    monitoring_notification_channels = local.channels
    enable_project_level_recipients  = true
  }

  depends_on = [google_project_service.service]
}
