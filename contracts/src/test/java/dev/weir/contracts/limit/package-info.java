@NullMarked
package dev.weir.contracts.limit;

import org.jspecify.annotations.NullMarked;
