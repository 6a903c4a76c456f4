package dev.weir.standalone;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Locale;

/** TCP ports: finding a free one, and saying who needs one that is taken. */
public final class Ports {
    private static final String OS = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);

    private Ports() {}

    /** A port on the loopback address that nothing listens on right now; whoever asked binds it soon. */
    public static int free() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new StartException("no free TCP port on the loopback address: " + e.getMessage(), e);
        }
    }

    /**
     * Checks that a port can be bound.
     *
     * @param who what needs it, for the message
     * @param option how to choose another one
     * @throws StartException when it is taken
     */
    public static void requireFree(String host, int port, String who, String option) {
        if (port == 0) {
            return;
        }
        try (ServerSocket socket = new ServerSocket()) {
            // As servers do on Unix: a connection that lingers in TIME_WAIT does not make a port taken.
            socket.setReuseAddress(!OS.contains("windows"));
            socket.bind(new InetSocketAddress(host, port));
        } catch (IOException e) {
            throw new StartException(
                    who + " needs port " + port + " on " + host + ", but it cannot be had (" + e.getMessage()
                            + "): stop what listens there, or choose another with " + option,
                    e);
        }
    }
}
