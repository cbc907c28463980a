variable "budget" {
  description = "Google Cloud's monthly bill at which the notification channels are told (50 %, 90 %, 100 %); null for no budget."
  type        = object({ billing_account = string, usd = number })
  default     = null

  validation {
    condition     = var.budget == null ? true : var.budget.usd > 0 && floor(var.budget.usd) == var.budget.usd
    error_message = "budget.usd takes whole dollars, at least 1; leave budget out for no budget."
  }
  validation {
    condition     = var.budget == null ? true : can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "budget.billing_account takes the account's id, such as 012345-6789AB-CDEF01."
  }
}

variable "build" {
  description = "Repository on GitHub whose pushes Cloud Build checks and deploys; its connection is made by hand (README.md). Null for none."
  type        = object({ owner = string, repository = string, branch = optional(string, "main") })
  default     = null

  validation {
    condition     = var.build == null ? true : can(regex("^[A-Za-z0-9][A-Za-z0-9-]*$", var.build.owner)) && can(regex("^[A-Za-z0-9._-]+$", var.build.repository))
    error_message = "build takes owner and repository apart, without a slash."
  }
}

variable "cmek" {
  description = "Encrypt with a key of your own. Firestore only if asked for at its creation: Google cannot change it later."
  type        = object({ firestore = optional(bool, false), rotation_days = optional(number, 90) })
  default     = null

  validation {
    condition     = var.cmek == null ? true : var.cmek.rotation_days >= 1
    error_message = "cmek.rotation_days takes at least 1."
  }
}

variable "load_balancer" {
  description = "An external load balancer with a certificate for `domain`, and Cloud Armor: requests of one address in a minute; `iap_members` get in through the Identity-Aware Proxy."
  type = object({
    domain              = string
    iap_members         = optional(list(string), [])
    requests_per_minute = optional(number, 600)
  })
  default = null

  validation {
    condition     = var.load_balancer == null ? true : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.load_balancer.domain))
    error_message = "load_balancer.domain takes a domain name such as penstock.example.com, without https://."
  }
  validation {
    condition     = var.load_balancer == null ? true : var.load_balancer.requests_per_minute >= 60
    error_message = "load_balancer.requests_per_minute takes at least 60: one page with live events needs that many."
  }
}

variable "network" {
  description = "A network of their own for agent jobs, from which they reach only Google's APIs, attempts and these names (HTTPS). Null: the whole internet."
  type        = object({ allowed_names = list(string), range = optional(string, "10.8.0.0/24") })
  default     = null

  validation {
    condition     = var.network == null ? true : can(cidrnetmask(var.network.range)) && tonumber(try(split("/", var.network.range)[1], "99")) <= 26
    error_message = "network.range takes a range such as 10.8.0.0/24, at least a /26."
  }
  validation {
    condition     = var.network == null ? true : alltrue([for one in var.network.allowed_names : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", one))])
    error_message = "network.allowed_names takes names such as github.com; no wildcards, which Google's firewall does not know."
  }
}
