# Cloud Armor: how much one address may ask for. Bodies hold source code, which rules against attacks in bodies would take for one.
resource "google_compute_security_policy" "front" {
  count = var.load_balancer == null ? 0 : 1

  name       = "${var.prefix}-front"
  depends_on = [google_project_service.service]

  rule {
    priority    = 1000
    action      = "throttle"
    description = "requests of one address in a minute"
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"
      rate_limit_threshold {
        count        = var.load_balancer.requests_per_minute
        interval_sec = 60
      }
    }
  }
  # Every policy has to end with a rule for the rest.
  rule {
    priority = 2147483647
    action   = "allow"
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}
