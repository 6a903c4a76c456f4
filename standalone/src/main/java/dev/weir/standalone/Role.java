package dev.weir.standalone;

/** What a process does. Standalone does all of it. */
public enum Role {
    INGRESS,
    THROTTLER,
    DISPATCHER,
    STATUS
}
