package dev.weir.status.usage;

/** A tenant and an upstream; neither has a line break in its name. */
final class UsageKey {
    private UsageKey() {}

    static String of(String tenant, String upstream) {
        return tenant + '\n' + upstream;
    }

    static String tenant(String key) {
        return key.substring(0, key.indexOf('\n'));
    }

    static String upstream(String key) {
        return key.substring(key.indexOf('\n') + 1);
    }
}
