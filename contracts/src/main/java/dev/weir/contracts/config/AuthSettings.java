package dev.weir.contracts.config;

/** The header that authenticates Weir with the upstream; put in by the dispatcher at the last moment, in no topic ever. */
public record AuthSettings(String header, Secret value) {}
