package dev.weir.standalone;

import dev.weir.standalone.cli.WeirCommand;

/** The entry of every sub-command of {@code weir}. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.exit(WeirCommand.execute(args));
    }
}
