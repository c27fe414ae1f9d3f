import type { OpenMetricsContentType, PrometheusContentType, Registry } from "prom-client";

/** A registry of either format. Each scrape builds a new one, so a deleted instance is gone from the next scrape. */
export type AnyRegistry = Registry<PrometheusContentType> | Registry<OpenMetricsContentType>;
