# A network for agent jobs alone. The firewall looks at names as its own resolver knows them, so two names on one address cannot be told
# apart, and what an allowed name can be made to forward is allowed too: it narrows, it does not seal.
resource "google_compute_network" "jobs" {
  count = var.network == null ? 0 : 1

  name                    = "${var.prefix}-jobs"
  auto_create_subnetworks = false
  depends_on              = [google_project_service.service]
}

resource "google_compute_subnetwork" "jobs" {
  count = var.network == null ? 0 : 1

  name                     = "${var.prefix}-jobs"
  network                  = google_compute_network.jobs[0].id
  region                   = var.region
  ip_cidr_range            = var.network.range
  private_ip_google_access = true
}

resource "google_compute_router" "jobs" {
  count = var.network == null ? 0 : 1

  name    = "${var.prefix}-jobs"
  network = google_compute_network.jobs[0].id
  region  = var.region
}

resource "google_compute_router_nat" "jobs" {
  count = var.network == null ? 0 : 1

  name                               = "${var.prefix}-jobs"
  router                             = google_compute_router.jobs[0].name
  region                             = var.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
}

resource "google_compute_network_firewall_policy" "jobs" {
  count = var.network == null ? 0 : 1

  name       = "${var.prefix}-jobs"
  depends_on = [google_project_service.service]
}

resource "google_compute_network_firewall_policy_association" "jobs" {
  count = var.network == null ? 0 : 1

  name              = "${var.prefix}-jobs"
  firewall_policy   = google_compute_network_firewall_policy.jobs[0].name
  attachment_target = google_compute_network.jobs[0].id
}

locals {
  # Private addresses of Google's APIs, and of attempts, which is an address of Cloud Run.
  google_range = "199.36.153.8/30"
  google_names = ["googleapis.com.", "run.app."]

  egress_rules = {
    for name, rule in {
      google = { priority = 1000, action = "allow", names = [], ranges = [local.google_range], protocol = "tcp", ports = ["443"] }
      named  = { priority = 1100, action = "allow", names = try(var.network.allowed_names, []), ranges = [], protocol = "tcp", ports = ["443"] }
      rest   = { priority = 2000, action = "deny", names = [], ranges = ["0.0.0.0/0"], protocol = "all", ports = [] }
    } : name => rule if var.network != null
  }
}

resource "google_compute_network_firewall_policy_rule" "egress" {
  for_each = local.egress_rules

  rule_name       = "${var.prefix}-${each.key}"
  firewall_policy = google_compute_network_firewall_policy.jobs[0].name
  direction       = "EGRESS"
  action          = each.value.action
  priority        = each.value.priority
  enable_logging  = each.key == "rest"

  match {
    dest_fqdns     = length(each.value.names) == 0 ? null : each.value.names
    dest_ip_ranges = length(each.value.ranges) == 0 ? null : each.value.ranges
    layer4_configs {
      ip_protocol = each.value.protocol
      ports       = length(each.value.ports) == 0 ? null : each.value.ports
    }
  }
}

resource "google_dns_managed_zone" "google" {
  for_each = var.network == null ? toset([]) : toset(local.google_names)

  name        = "${var.prefix}-${replace(trimsuffix(each.value, "."), ".", "-")}"
  dns_name    = each.value
  description = "Penstock: Google's names at their private addresses, for agent jobs"
  visibility  = "private"
  private_visibility_config {
    networks {
      network_url = google_compute_network.jobs[0].id
    }
  }
}

resource "google_dns_record_set" "google" {
  for_each = google_dns_managed_zone.google

  managed_zone = each.value.name
  name         = "*.${each.key}"
  type         = "A"
  ttl          = 300
  rrdatas      = ["199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11"]
}
