variable "admins" {
  description = "E-mail addresses that have every role in the first tenant, and set up the members of others."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for one in var.admins : can(regex("^[^@\\s,]+@[^@\\s,]+\\.[^@\\s,]+$", one))])
    error_message = "admins takes e-mail addresses, without \"user:\" before them."
  }
}

variable "identity" {
  description = <<-E
    How api and intake know who calls them. iam: Google ID tokens, checked by Cloud Run, of `invokers` ("user:…", "group:…", "serviceAccount:…",
    "domain:…"); `invoker_role` is what one of them may do without being a member of the tenant. oidc: tokens of `oidc`. iap: the
    Identity-Aware Proxy of the load balancer; `iap_audiences` is the output of that name.
  E
  type = object({
    mode          = optional(string, "iam")
    iap_audiences = optional(map(string), {})
    invoker_role  = optional(string, "none")
    invokers      = optional(list(string), [])
    oidc          = optional(object({ audience = string, issuer = string }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["iam", "iap", "oidc"], var.identity.mode)
    error_message = "identity.mode takes iam, iap or oidc."
  }
  validation {
    condition     = contains(["none", "developer"], var.identity.invoker_role)
    error_message = "identity.invoker_role takes none or developer."
  }
  validation {
    condition     = alltrue([for one in var.identity.invokers : can(regex("^(user|group|serviceAccount):[^@\\s]+@[^@\\s]+$|^domain:[^@\\s]+\\.[^@\\s]+$", one))])
    error_message = "identity.invokers takes user:ADDRESS, group:ADDRESS, serviceAccount:ADDRESS or domain:DOMAIN; nobody is let in without a Google identity."
  }
  validation {
    condition     = var.identity.oidc == null || can(regex("^https://\\S+$", var.identity.oidc.issuer))
    error_message = "identity.oidc.issuer takes an https URL, exactly as the tokens name it."
  }
  validation {
    condition     = alltrue([for one in values(var.identity.iap_audiences) : can(regex("^/projects/[0-9]+/\\S+$", one))])
    error_message = "identity.iap_audiences takes /projects/NUMBER/global/backendServices/ID by function, as the output iap_audiences shows them."
  }
}

variable "public_url" {
  description = "Where people reach the pages, for links in comments. The default is the load balancer's domain, or else api's own address."
  type        = string
  default     = null

  validation {
    condition     = var.public_url == null || can(regex("^https://[^/\\s]+$", var.public_url))
    error_message = "public_url takes an https URL without a path and without a slash at its end."
  }
}
