@NullMarked
package dev.weir.throttler.upstream;

import org.jspecify.annotations.NullMarked;
