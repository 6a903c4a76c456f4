package dev.weir.contracts.access;

import dev.weir.contracts.config.AddressRange;
import io.javalin.http.Context;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a request comes from. {@code X-Forwarded-For} is believed only from a trusted proxy, and then from its right end,
 * where trusted proxies wrote: what stands further left anyone can have made up. Immutable.
 */
final class ClientAddress {
    /** A provider gives one customer at least so much of IPv6; within it they change their address at will. */
    private static final int IPV6_CUSTOMER_BYTES = 8;

    private static final String FORWARDED_FOR = "X-Forwarded-For";
    /** A proxy that passes a call on leaves one of these. */
    private static final List<String> LEFT_BY_PROXIES =
            List.of(FORWARDED_FOR, "Forwarded", "X-Real-IP", "X-Forwarded-Host", "Via");

    private static final Set<String> THIS_MACHINE = Set.of("localhost", "127.0.0.1", "[::1]");
    /** Some of these every browser sends, and no web page can take all of them away. */
    private static final List<String> SENT_BY_BROWSERS =
            List.of("Accept-Language", "Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Cookie");

    private static final Pattern PORT = Pattern.compile(":[0-9]{1,5}$");

    private final List<AddressRange> trustedProxies;

    ClientAddress(List<AddressRange> trustedProxies) {
        this.trustedProxies = trustedProxies;
    }

    /** The address by which a caller without a key is counted; of IPv6 the network of 64 bits. */
    String counted(Context ctx) {
        InetAddress address = of(ctx);
        if (address == null) {
            return "unknown";
        }
        if (!(address instanceof Inet6Address)) {
            return address.getHostAddress();
        }
        byte[] network = Arrays.copyOf(Arrays.copyOf(address.getAddress(), IPV6_CUSTOMER_BYTES), 16);
        try {
            return InetAddress.getByAddress(network).getHostAddress() + "/" + IPV6_CUSTOMER_BYTES * 8;
        } catch (UnknownHostException e) {
            throw new IllegalStateException("16 bytes are an address", e);
        }
    }

    private @Nullable InetAddress of(Context ctx) {
        InetAddress address = parsed(ctx.req().getRemoteAddr());
        List<String> forwarded = Collections.list(ctx.req().getHeaders(FORWARDED_FOR));
        String[] hops = String.join(",", forwarded).split(",", -1);
        for (int i = hops.length - 1; i >= 0 && address != null && isTrusted(address); i--) {
            InetAddress hop = parsed(hops[i].strip());
            if (hop == null) {
                break;
            }
            address = hop;
        }
        return address;
    }

    private boolean isTrusted(InetAddress address) {
        return trustedProxies.stream().anyMatch(range -> range.contains(address));
    }

    /**
     * Why a request is not one that somebody on this machine made; null when it is. A web page on this machine that is not
     * Weir's own is somebody else: a browser would carry its calls here, and its answers back under a name that was made to
     * point here.
     */
    static @Nullable String notLocal(Context ctx) {
        InetAddress address = parsed(ctx.req().getRemoteAddr());
        if (address == null || !address.isLoopbackAddress()) {
            return "it comes from another machine";
        }
        for (String header : LEFT_BY_PROXIES) {
            if (ctx.header(header) != null) {
                return "it comes through a proxy (" + header + ")";
            }
        }
        String host = String.valueOf(ctx.header("Host"));
        boolean fromBrowser = String.valueOf(ctx.header("User-Agent")).startsWith("Mozilla/");
        for (String header : SENT_BY_BROWSERS) {
            fromBrowser |= ctx.header(header) != null;
        }
        if (fromBrowser
                && !THIS_MACHINE.contains(PORT.matcher(host).replaceFirst("").toLowerCase(Locale.ROOT))) {
            return "a browser sent it to a Host that is none of this machine's own names (localhost, 127.0.0.1, [::1])";
        }
        String origin = ctx.header("Origin");
        if (origin != null && !origin.equalsIgnoreCase("http://" + host)) {
            return "a web page of another origin sent it";
        }
        String site = ctx.header("Sec-Fetch-Site");
        boolean own = site == null || site.equals("same-origin") || site.equals("none");
        return own ? null : "a web page of another site sent it";
    }

    private static @Nullable InetAddress parsed(String text) {
        String bare = text.startsWith("[") && text.endsWith("]") ? text.substring(1, text.length() - 1) : text;
        int scope = bare.indexOf('%');
        return AddressRange.address(scope < 0 ? bare : bare.substring(0, scope));
    }
}
