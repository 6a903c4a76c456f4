@NullMarked
package dev.weir.contracts.access;

import org.jspecify.annotations.NullMarked;
