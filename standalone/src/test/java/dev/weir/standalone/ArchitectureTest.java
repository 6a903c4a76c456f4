package dev.weir.standalone;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who may know whom: contracts know nobody, roles know contracts only, the throttle's decisions know nothing of Kafka. */
class ArchitectureTest {
    private static final JavaClasses WEIR = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.weir");
    private static final List<String> ROLES =
            List.of("dev.weir.ingress..", "dev.weir.throttler..", "dev.weir.dispatcher..", "dev.weir.status..");

    @Test
    void shouldKeepContractsFreeOfTheModulesThatShareThem() {
        noClasses()
                .that()
                .resideInAPackage("dev.weir.contracts..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.weir.ingress..",
                        "dev.weir.throttler..",
                        "dev.weir.dispatcher..",
                        "dev.weir.status..",
                        "dev.weir.standalone..")
                .check(WEIR);
    }

    @Test
    void shouldKeepTheRolesApart() {
        for (String role : ROLES) {
            String[] others = ROLES.stream().filter(r -> !r.equals(role)).toArray(String[]::new);
            noClasses()
                    .that()
                    .resideInAPackage(role)
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(others)
                    .orShould()
                    .dependOnClassesThat()
                    .resideInAPackage("dev.weir.standalone..")
                    .check(WEIR);
        }
    }

    @Test
    void shouldKeepTheDecisionsFreeOfKafka() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "dev.weir.throttler.quota..", "dev.weir.throttler.lanes..", "dev.weir.throttler.upstream..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.apache.kafka..", "dev.weir.contracts.kafka..", "org.rocksdb..")
                .check(WEIR);
    }
}
