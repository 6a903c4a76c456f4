/** The whole of Weir as a process of its own, watched from outside: by the upstream's clock, over HTTP, in the topics. */
@NullMarked
package dev.weir.acceptance;

import org.jspecify.annotations.NullMarked;
