/** The command line: one class for each sub-command. */
@NullMarked
package dev.weir.standalone.cli;

import org.jspecify.annotations.NullMarked;
