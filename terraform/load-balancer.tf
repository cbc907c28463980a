# One address and certificate before webhooks, intake and api. What only the platform itself calls is not behind it.
locals {
  # As ROUTES of shared/runtime/routes.ts has them; api takes the rest.
  front_paths = {
    api      = []
    intake   = ["/api/requirements", "/api/v1/pm/tasks"]
    webhooks = ["/webhooks/*"]
  }
  fronted = { for name, paths in local.front_paths : name => { iap = name != "webhooks" && var.identity.mode != "oidc", paths = paths } if var.load_balancer != null }
  guarded = { for name, one in local.fronted : name => one if one.iap }
  # The proxy calls the functions as itself; who stands before it is in the assertion that the functions check.
  iap_callers = length(local.guarded) == 0 ? {} : { identity-aware-proxy = local.agents.iap }
}

resource "google_compute_global_address" "front" {
  count = var.load_balancer == null ? 0 : 1

  name       = "${var.prefix}-front"
  depends_on = [google_project_service.service]
}

resource "google_compute_managed_ssl_certificate" "front" {
  count = var.load_balancer == null ? 0 : 1

  name = "${var.prefix}-front"
  managed {
    domains = [var.load_balancer.domain]
  }
  depends_on = [google_project_service.service]
}

resource "google_compute_region_network_endpoint_group" "front" {
  for_each = local.fronted

  name                  = "${var.prefix}-${each.key}"
  region                = var.region
  network_endpoint_type = "SERVERLESS"
  cloud_run {
    service = module.function[each.key].name
  }
}

resource "google_compute_backend_service" "front" {
  for_each = local.fronted

  name                  = "${var.prefix}-${each.key}"
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_security_policy.front[0].id
  backend {
    group = google_compute_region_network_endpoint_group.front[each.key].id
  }
  log_config {
    enable      = true
    sample_rate = 1
  }
  dynamic "iap" {
    for_each = each.value.iap ? [true] : []
    content {
      enabled = true
    }
  }
}

resource "google_compute_url_map" "front" {
  count = var.load_balancer == null ? 0 : 1

  name            = "${var.prefix}-front"
  default_service = google_compute_backend_service.front["api"].id
  host_rule {
    hosts        = [var.load_balancer.domain]
    path_matcher = "penstock"
  }
  path_matcher {
    name            = "penstock"
    default_service = google_compute_backend_service.front["api"].id
    dynamic "path_rule" {
      for_each = { for name, one in local.fronted : name => one.paths if length(one.paths) > 0 }
      content {
        paths   = path_rule.value
        service = google_compute_backend_service.front[path_rule.key].id
      }
    }
  }
}

resource "google_compute_ssl_policy" "front" {
  count = var.load_balancer == null ? 0 : 1

  name            = "${var.prefix}-front"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
  depends_on      = [google_project_service.service]
}

resource "google_compute_target_https_proxy" "front" {
  count = var.load_balancer == null ? 0 : 1

  name             = "${var.prefix}-front"
  url_map          = google_compute_url_map.front[0].id
  ssl_certificates = [google_compute_managed_ssl_certificate.front[0].id]
  ssl_policy       = google_compute_ssl_policy.front[0].id
}

resource "google_compute_global_forwarding_rule" "front" {
  count = var.load_balancer == null ? 0 : 1

  name                  = "${var.prefix}-front"
  target                = google_compute_target_https_proxy.front[0].id
  ip_address            = google_compute_global_address.front[0].id
  port_range            = "443"
  load_balancing_scheme = "EXTERNAL_MANAGED"
}

resource "google_iap_web_backend_service_iam_member" "member" {
  for_each = { for pair in setproduct(keys(local.guarded), try(var.load_balancer.iap_members, [])) : "${pair[0]}/${pair[1]}" => { function = pair[0], member = pair[1] } }

  web_backend_service = google_compute_backend_service.front[each.value.function].name
  role                = "roles/iap.httpsResourceAccessor"
  member              = each.value.member
}
