/** A client of Weir's HTTP interface, as the command line and the demo use it. */
@NullMarked
package dev.weir.standalone.client;

import org.jspecify.annotations.NullMarked;
