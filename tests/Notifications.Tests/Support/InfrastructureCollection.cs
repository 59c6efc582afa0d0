using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests.Support;

/// <summary>Starts the real servers once for all tests here, which run one after the other.</summary>
[CollectionDefinition(nameof(InfrastructureCollection), DisableParallelization = true)]
public sealed class InfrastructureCollection : ICollectionFixture<InfrastructureFixture>;
