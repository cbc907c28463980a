# What each function is told: names of shared/runtime/google-config.ts and nothing else.
locals {
  environment = {
    for name, value in {
      ENVIRONMENT                 = var.environment
      GITHUB_APP_ID               = var.github_app_id
      GOOGLE_CLOUD_PROJECT        = var.project_id
      LOG_LEVEL                   = var.log_level
      OTEL_EXPORTER_OTLP_ENDPOINT = var.trace_endpoint
      PENSTOCK_BUCKET             = google_storage_bucket.data.name
      PENSTOCK_BUDGET_USD         = tostring(var.run_budget_usd)
      PENSTOCK_GITHUB_ACCOUNTS    = length(var.github_accounts) == 0 ? null : join(",", var.github_accounts)
      PENSTOCK_JOB                = local.tiers.standard.name
      PENSTOCK_JOB_HIGH           = local.tiers.high.name
      PENSTOCK_JOB_WORKFLOW       = var.agent_job.by_workflow ? "agent-job" : null
      PENSTOCK_MAX_JOBS           = tostring(var.agent_job.max_running)
      PENSTOCK_PUBLIC_URL         = local.public_url
      PENSTOCK_REGION             = var.region
      PENSTOCK_TENANT             = var.tenant
    } : name => value if value != null
  }

  # Runs that name no driver take `requirement` where it is among these, and otherwise `direct`.
  driver_names = [for name in keys(local.workflows) : name if !contains(local.no_drivers, name)]
  drivers      = length(local.driver_names) == 0 ? {} : { PENSTOCK_DRIVERS = join(",", local.driver_names) }

  # `iam` believes what Cloud Run has checked, so it never goes with a public invoker; checks.tf holds that.
  identities = {
    iam  = { PENSTOCK_IDENTITY = "iam" }
    oidc = { PENSTOCK_IDENTITY = "oidc", PENSTOCK_OIDC_AUDIENCE = try(var.identity.oidc.audience, ""), PENSTOCK_OIDC_ISSUER = try(var.identity.oidc.issuer, "") }
    # Asks nobody who they are: GitHub signs. Were a route of it to ask, only a token of Google for this address would do.
    public = { PENSTOCK_IDENTITY = "oidc", PENSTOCK_OIDC_AUDIENCE = local.public_url, PENSTOCK_OIDC_ISSUER = "https://accounts.google.com" }
  }
  people = merge(
    { PENSTOCK_ADMINS = join(",", var.admins) },
    var.identity.mode == "iam" ? { PENSTOCK_INVOKER_ROLE = var.identity.invoker_role } : {},
  )
  identity_of = {
    for name, one in local.functions : name => merge(
      one.door == "public" ? local.identities.public :
      one.door != "people" ? local.identities.iam :
      var.identity.mode == "iap" ? { PENSTOCK_IDENTITY = "iap", PENSTOCK_IAP_AUDIENCE = lookup(var.identity.iap_audiences, name, "") } :
      local.identities[var.identity.mode],
      one.door == "people" ? local.people : {},
    )
  }

  environments = {
    for name in keys(local.functions) : name => merge(
      local.environment,
      local.drivers,
      local.identity_of[name],
      contains(keys(local.platform_accounts), name) ? { PENSTOCK_PLATFORM_ACCOUNTS = local.platform_accounts[name] } : {},
    )
  }

  ingress = {
    jobs   = "ALLOW_ALL"
    ours   = "ALLOW_INTERNAL_ONLY"
    people = var.load_balancer == null ? "ALLOW_ALL" : "ALLOW_INTERNAL_AND_GCLB"
    public = var.load_balancer == null ? "ALLOW_ALL" : "ALLOW_INTERNAL_AND_GCLB"
  }
}
