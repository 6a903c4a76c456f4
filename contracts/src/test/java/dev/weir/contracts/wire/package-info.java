@NullMarked
package dev.weir.contracts.wire;

import org.jspecify.annotations.NullMarked;
