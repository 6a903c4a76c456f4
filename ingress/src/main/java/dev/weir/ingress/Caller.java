package dev.weir.ingress;

/** Who submits. */
record Caller(String tenant) {}
