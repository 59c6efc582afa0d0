using OrderInventory.TestSupport;

namespace OrderInventory.Notifications.Tests.Support;

/// <summary>One start of the real servers for all tests here, which run one after the other: their services share a consumer group.</summary>
[CollectionDefinition(nameof(InfrastructureCollection), DisableParallelization = true)]
public sealed class InfrastructureCollection : ICollectionFixture<InfrastructureFixture>;
