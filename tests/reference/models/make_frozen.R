# Freeze what R makes of cases.json into frozen.json.
#
#   apt-get install r-base-core r-cran-metafor r-cran-sandwich r-cran-mass r-cran-nlme r-cran-clubsandwich \
#                   r-cran-bayesfactor r-cran-jsonlite
#   Rscript tests/reference/models/make_frozen.R
#
# The tests read frozen.json only: nobody needs R to run them. Every number has 17 digits.
suppressMessages({
  library(metafor); library(sandwich); library(MASS); library(clubSandwich); library(nlme)
})

arguments <- commandArgs(trailingOnly = FALSE)
script <- sub("--file=", "", grep("--file=", arguments, value = TRUE))
folder <- dirname(normalizePath(script))
path <- file.path(folder, "cases.json")
cases <- jsonlite::fromJSON(path, simplifyMatrix = TRUE)

calls <- list(
  meta = "rma.uni(yi, vi, mods=X, intercept=FALSE, method=M, test='z'|'knha'|'t', btt=, control=list(threshold=1e-12, tol=1e-12, maxiter=10000, stepadj=0.5))",
  separate = "rma.uni of each group's rows apart, with the same control",
  grouped = "rma.mv(y, v, mods=X, intercept=FALSE, random=~g|id, struct='DIAG', method='ML'|'REML', control=list(optimizer='optim', optmethod='BFGS', reltol=1e-16, maxit=10000), cvvc=FALSE)",
  hc = "sandwich::vcovHC(lm(y ~ 0 + X), type='HC0'..'HC4')",
  cluster = "sandwich::vcovCL(lm(y ~ 0 + X), cluster, type='HC0'..'HC3', cadjust=(type != 'HC0'))",
  cr = "clubSandwich::vcovCR(fit, cluster, type='CR0'|'CR1S'|'CR2'|'CR3'); coef_test(test='Satterthwaite'); Wald_test(constrain_zero(last two), test='HTZ')",
  robust = "MASS::rlm(X, y, psi=psi.huber(1.345)|psi.bisquare(4.685), scale.est='MAD', acc=1e-12, maxit=5000), bisquare with init=coef(huber); summary.rlm (method XtX)",
  block = "summary(aov(y ~ condition + Error(subject))); nlme::lme(y ~ condition, random=~1|subject, method='REML'), its tTable and anova()",
  bayes = "integrate() of the integral of Rouder et al. 2009 in log g at r = sqrt(2)/2; BayesFactor::ttest.tstat(t, n1, n2, rscale=sqrt(2)/2, simple=TRUE)",
  intervals = "uniroot(pt(t, dof, ncp) - (1 +- level)/2, tol=1e-13); in units of d: ncp / sqrt(n) or ncp * sqrt(1/n1 + 1/n2)"
)

# --- meta-analysis -------------------------------------------------------------------------------------------

control <- list(threshold = 1e-12, tol = 1e-12, maxiter = 10000, stepadj = 0.5)

meta_fit <- function(y, v, x, method, test, btt = NULL) {
  # metafor warns that variances over six orders of magnitude may be unstable: that is what is asked.
  suppressWarnings(rma.uni(yi = y, vi = v, mods = x, intercept = FALSE, method = method, test = test,
                           btt = btt, control = control))
}

meta_one <- function(y, v, x, method) {
  p <- ncol(x)
  z <- meta_fit(y, v, x, method, "z")
  out <- list(tau2 = z$tau2, i2 = z$I2 / 100, qe = z$QE, vt = z$vt, b = c(z$beta), se = z$se, z = z$zval, p = z$pval)
  if (method == "FE") return(out)
  for (test in c("t", "knha")) {
    fit <- meta_fit(y, v, x, method, test)
    out[[test]] <- list(se = fit$se, stat = fit$zval, p = fit$pval, dof = fit$ddf[1])
    if (p > 2) {
      joint <- meta_fit(y, v, x, method, test, btt = 2:3)
      out[[test]] <- c(out[[test]], list(f = joint$QM, f_dof = joint$QMdf, f_p = joint$QMp))
    }
  }
  out
}

# Lists over locations become one list of arrays with location first.
gather <- function(parts) {
  first <- parts[[1]]
  if (is.list(first)) {
    return(sapply(names(first), function(key) gather(lapply(parts, `[[`, key)), simplify = FALSE))
  }
  if (length(first) == 1) return(unlist(parts))
  if (is.matrix(first)) return(lapply(parts, function(m) lapply(seq_len(nrow(m)), function(i) as.numeric(m[i, ]))))
  lapply(parts, as.numeric)
}

frozen_meta <- function() {
  out <- list()
  for (name in names(cases$meta)) {
    case <- cases$meta[[name]]
    x <- as.matrix(cases$designs[[name]])
    for (method in c("FE", "DL", "HE", "PM", "ML", "REML")) {
      parts <- lapply(seq_along(case$kinds), function(j) meta_one(case$y[j, ], case$v[j, ], x, method))
      out[[paste(name, method, sep = ":")]] <- gather(parts)
    }
  }
  out
}

frozen_separate <- function() {
  case <- cases$grouped$separable
  out <- list()
  for (method in c("DL", "HE", "PM", "ML", "REML")) {
    out[[method]] <- lapply(seq_len(nrow(case$y)), function(j) sapply(unique(case$groups), function(g) {
      rows <- case$groups == g
      meta_fit(case$y[j, rows], case$v[j, rows], matrix(1, sum(rows), 1), method, "z")$tau2
    }))
  }
  out
}

frozen_grouped <- function() {
  out <- list()
  for (name in names(cases$grouped)) {
    case <- cases$grouped[[name]]
    n <- ncol(case$y)
    for (method in c("ML", "REML")) {
      parts <- lapply(seq_len(nrow(case$y)), function(j) {
        data <- data.frame(y = case$y[j, ], v = case$v[j, ], g = factor(case$groups), id = seq_len(n))
        fit <- rma.mv(y, v, mods = case$matrix, intercept = FALSE, random = ~ g | id, struct = "DIAG",
                      method = method, data = data,
                      control = list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-16, maxit = 10000))
        list(tau2 = fit$tau2, b = c(fit$beta), se = fit$se)
      })
      out[[paste(name, method, sep = ":")]] <- gather(parts)
    }
  }
  out
}

# --- sandwiches ----------------------------------------------------------------------------------------------

frozen_hc <- function() {
  out <- list()
  for (name in names(cases$linear)) {
    x <- as.matrix(cases$designs[[name]])
    for (type in paste0("HC", 0:4)) {
      parts <- lapply(seq_len(nrow(cases$linear[[name]])), function(j) {
        y <- cases$linear[[name]][j, ]
        vcovHC(lm(y ~ 0 + x), type = type)
      })
      out[[paste(name, type, sep = ":")]] <- gather(parts)
    }
  }
  out
}

cluster_one <- function(x, y, codes, type) {
  p <- ncol(x)
  fit <- lm(y ~ 0 + x)
  cl <- vcovCL(fit, cluster = codes, type = type, cadjust = type != "HC0")
  cr <- vcovCR(fit, cluster = codes, type = c(HC0 = "CR0", HC1 = "CR1S", HC2 = "CR2", HC3 = "CR3")[[type]])
  single <- coef_test(fit, vcov = cr, test = "Satterthwaite")
  made <- list(vcovCL = unclass(cl), vcovCR = unclass(as.matrix(cr)), t = single$tstat, dof = single$df,
               p = single$p_Satt)
  if (p > 1) {
    joint <- Wald_test(fit, constraints = constrain_zero((p - 1):p), vcov = cr, test = "HTZ")
    made <- c(made, list(f = joint$Fstat, f_dof = c(joint$df_num, joint$df_denom), f_p = joint$p_val))
  }
  made
}

# Where I - H_gg is singular, CR3 stops, and vcovCL divides by rounding in HC2 and HC3.
singular <- function(name) name == "cluster_with_a_level"

frozen_cluster <- function() {
  out <- list()
  for (name in names(cases$clustered)) {
    case <- cases$clustered[[name]]
    for (type in paste0("HC", 0:3)) {
      if (singular(name) && type == "HC3") next
      parts <- lapply(seq_len(nrow(case$y)), function(j) cluster_one(case$matrix, case$y[j, ], case$codes, type))
      if (singular(name) && type == "HC2") parts <- lapply(parts, function(part) part[names(part) != "vcovCL"])
      out[[paste(name, type, sep = ":")]] <- gather(parts)
    }
  }
  out
}

# --- robust --------------------------------------------------------------------------------------------------

robust_one <- function(x, y, loss) {
  # rlm() deparses its call, and gives coefficients the names of its columns.
  fit <- rlm(x, y, psi = psi.huber, k = 1.345, scale.est = "MAD", acc = 1e-12, maxit = 5000)
  stopifnot(fit$converged)
  if (loss == "bisquare") {
    fit <- rlm(x, y, psi = psi.bisquare, c = 4.685, init = coef(fit), scale.est = "MAD", acc = 1e-12, maxit = 5000)
    stopifnot(fit$converged)
  }
  told <- summary(fit)
  list(b = coef(fit), se = told$coefficients[, 2], scale = fit$s, stddev = told$stddev, weights = fit$w)
}

frozen_robust <- function() {
  out <- list()
  for (name in names(cases$robust)) {
    x <- as.matrix(cases$designs[[name]])
    for (loss in c("huber", "bisquare")) {
      y <- cases$robust[[name]]
      out[[paste(name, loss, sep = ":")]] <- gather(lapply(seq_len(nrow(y)), function(j) robust_one(x, y[j, ], loss)))
    }
  }
  out
}

# --- blocks --------------------------------------------------------------------------------------------------

block_one <- function(y, subject, condition) {
  data <- data.frame(y = y, subject = factor(subject), condition = factor(condition))
  strata <- summary(aov(y ~ condition + Error(subject), data = data))
  within <- strata[["Error: Within"]][[1]]
  fit <- lme(y ~ condition, random = ~ 1 | subject, data = data, method = "REML",
             control = lmeControl(opt = "optim", tolerance = 1e-12, msTol = 1e-14, msMaxIter = 1000))
  told <- summary(fit)$tTable[-1, , drop = FALSE]
  both <- anova(fit)["condition", ]
  list(f = within[1, "F value"], dof = within[["Df"]], p = within[1, "Pr(>F)"], mean_square = within[2, "Mean Sq"],
       lme = list(b = told[, "Value"], se = told[, "Std.Error"], t = told[, "t-value"], p = told[, "p-value"],
                  dof = told[, "DF"], f = both[["F-value"]]))
}

frozen_block <- function() {
  sapply(names(cases$block), function(name) {
    case <- cases$block[[name]]
    gather(lapply(seq_len(nrow(case$y)), function(j) block_one(case$y[j, ], case$subject, case$condition)))
  }, simplify = FALSE)
}

# --- effect sizes --------------------------------------------------------------------------------------------

jzs <- function(t, n, dof, r = sqrt(2) / 2) {
  # Rouder et al. 2009, equation 1 with g ~ inverse gamma(1/2, r^2/2); in log g, where it is smooth and short.
  log_density <- function(u) {
    g <- exp(u)
    -0.5 * log1p(n * g) - (dof + 1) / 2 * log1p(t^2 / ((1 + n * g) * dof)) +
      (dof + 1) / 2 * log1p(t^2 / dof) + log(r) - 0.5 * log(2 * pi) - 1.5 * u - r^2 / (2 * g) + u
  }
  top <- optimize(log_density, c(-30, 30), maximum = TRUE, tol = 1e-10)
  scaled <- function(u) exp(log_density(u) - top$objective)
  part <- function(a, b) integrate(scaled, a, b, rel.tol = 1e-13, abs.tol = 0, subdivisions = 1000)$value
  exp(top$objective) * (part(top$maximum - 12, top$maximum) + part(top$maximum, top$maximum + 60) )
}

package_bf <- function(...) {
  suppressMessages(BayesFactor::ttest.tstat(..., rscale = sqrt(2) / 2, simple = TRUE))[[1]]
}

frozen_bayes <- function() {
  one <- cases$bayes$one_sample
  two <- cases$bayes$two_samples
  harmonic <- two[, 2] * two[, 3] / (two[, 2] + two[, 3])
  list(
    one_sample = list(
      integral = mapply(function(t, n) jzs(t, n, n - 1), one[, 1], one[, 2]),
      BayesFactor = mapply(function(t, n) package_bf(t = t, n1 = n), one[, 1], one[, 2])
    ),
    two_samples = list(
      integral = mapply(function(t, n, dof) jzs(t, n, dof), two[, 1], harmonic, two[, 2] + two[, 3] - 2),
      BayesFactor = mapply(function(t, a, b) package_bf(t = t, n1 = a, n2 = b), two[, 1], two[, 2], two[, 3])
    )
  )
}

limit <- function(t, dof, share) {
  # pt() of R holds to about 1e-12 where |ncp| < 37.6; the limits wanted here stay far inside.
  step <- 10 + 2 * abs(t)
  uniroot(function(ncp) suppressWarnings(pt(t, dof, ncp)) - share, c(t - step, t + step), tol = 1e-13, maxiter = 10000)$root
}

frozen_intervals <- function() {
  out <- list()
  for (level in cases$intervals$level) {
    one <- cases$intervals$one_sample
    two <- cases$intervals$two_samples
    side <- function(share) list(
      one_sample = mapply(function(t, n) limit(t, n - 1, share) / sqrt(n), one[, 1], one[, 2]),
      two_samples = mapply(function(t, a, b) limit(t, a + b - 2, share) * sqrt(1 / a + 1 / b),
                           two[, 1], two[, 2], two[, 3])
    )
    out[[as.character(level)]] <- list(lower = side((1 + level) / 2), upper = side((1 - level) / 2))
  }
  out
}

# --- writing -------------------------------------------------------------------------------------------------

number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "null")

json <- function(x, depth) {
  if (is.list(x)) {
    named <- !is.null(names(x))
    parts <- vapply(x, json, "", depth = depth - 1)
    if (named) parts <- paste0("\"", names(x), "\": ", parts)
    gap <- if (depth > 0) ",\n" else ", "
    body <- paste(parts, collapse = gap)
    if (depth > 0) body <- paste0("\n", body, "\n")
    return(paste0(if (named) "{" else "[", body, if (named) "}" else "]"))
  }
  if (is.character(x)) return(paste0("\"", x, "\""))
  if (length(x) == 1 && is.null(attr(x, "array"))) {
    return(paste0("[", number(x), "]"))
  }
  paste0("[", paste(number(as.numeric(x)), collapse = ", "), "]")
}

packages <- c("metafor", "sandwich", "MASS", "clubSandwich", "nlme", "BayesFactor")
versions <- sapply(packages, function(p) as.character(packageVersion(p)), simplify = FALSE)
frozen <- list(
  about = list(R = R.version.string, versions = versions, calls = calls,
               cases_md5 = unname(tools::md5sum(path))),
  meta = frozen_meta(), separate = frozen_separate(), grouped = frozen_grouped(), hc = frozen_hc(),
  cluster = frozen_cluster(), robust = frozen_robust(), block = frozen_block(), bayes = frozen_bayes(),
  intervals = frozen_intervals()
)
writeLines(json(frozen, 2), file.path(folder, "frozen.json"))
