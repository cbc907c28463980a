variable "agent_image" {
  description = "Image of the agent job, by digest: REGION-docker.pkg.dev/PROJECT/penstock/agent-job@sha256:…"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9.-]+/[a-z0-9./_-]+@sha256:[0-9a-f]{64}$", var.agent_image))
    error_message = "agent_image takes an image by digest (…/agent-job@sha256:64 hex digits), not by tag: a tag may move under a running system."
  }
}

variable "agent_job" {
  description = "The Cloud Run jobs that run agents: hours an attempt may take, attempts at the same time, an L4 GPU for the high tier, how programs are confined, whether workflows/agent-job.yaml starts and follows them."
  type = object({
    by_workflow   = optional(bool, false)
    gpu           = optional(bool, false)
    max_running   = optional(number, 20)
    sandbox       = optional(string, "auto")
    timeout_hours = optional(number, 24)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.agent_job.timeout_hours >= 1 && var.agent_job.timeout_hours <= 25
    error_message = "agent_job.timeout_hours takes 1 to 25."
  }
  validation {
    condition     = var.agent_job.max_running >= 1 && var.agent_job.max_running <= 1000 && floor(var.agent_job.max_running) == var.agent_job.max_running
    error_message = "agent_job.max_running takes a whole number from 1 to 1000."
  }
  validation {
    condition     = contains(["auto", "bubblewrap", "none"], var.agent_job.sandbox)
    error_message = "agent_job.sandbox takes auto, bubblewrap or none."
  }
}

variable "archives" {
  description = "Folder with the functions' archives, as npm run build leaves them."
  type        = string
  default     = "../dist"
  nullable    = false

  validation {
    condition     = length(fileset(var.archives, "*.zip")) > 0
    error_message = "archives takes the folder with the functions' archives, and there are none in it; make them with npm run ci:build."
  }
}

variable "github_accounts" {
  description = "Logins of the GitHub users and organisations whose installations of the App are taken; empty: anybody's. Set it where the App is public."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for one in var.github_accounts : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]*$", one))])
    error_message = "github_accounts takes logins such as acme, not the addresses of their pages."
  }
}

variable "github_app_id" {
  description = "Number of your GitHub App; null where runs come from the API only."
  type        = string
  default     = null

  validation {
    condition     = var.github_app_id == null || can(regex("^[1-9][0-9]*$", var.github_app_id))
    error_message = "github_app_id takes the App's number, as its settings page shows it, not its name or client id."
  }
}

variable "log_level" {
  description = "What functions log at least."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR", "SILENT"], var.log_level)
    error_message = "log_level takes DEBUG, INFO, WARNING, ERROR or SILENT."
  }
}

variable "run_budget_usd" {
  description = "What a run may spend on models where whoever asks for it says nothing else."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.run_budget_usd > 0 && var.run_budget_usd <= 1000
    error_message = "run_budget_usd takes more than 0 and at most 1000; with 0 no agent could call its model."
  }
}

variable "tenant" {
  description = "Name of the first tenant, to which unknown installations of the GitHub App belong."
  type        = string
  default     = "main"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}$", var.tenant))
    error_message = "tenant takes up to 39 small letters, digits and hyphens, and begins with a letter."
  }
}

variable "trace_endpoint" {
  description = "https URL of an OpenTelemetry collector (OTLP over HTTP); null keeps no spans."
  type        = string
  default     = null

  validation {
    condition     = var.trace_endpoint == null || can(regex("^https://\\S+$", var.trace_endpoint))
    error_message = "trace_endpoint takes an https URL."
  }
}

variable "warm_instances" {
  description = "Instances that a function keeps ready, by its name, such as { webhooks = 1 }; each costs about $10 a month."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for count in values(var.warm_instances) : count >= 0 && count <= 10 && floor(count) == count])
    error_message = "warm_instances takes whole numbers from 0 to 10."
  }
}
